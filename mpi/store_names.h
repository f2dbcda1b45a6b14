/* What the writer adds to the schema for its own use: check sums that a start verifies, and the history. */
#ifndef LES_STORE_NAMES_H
#define LES_STORE_NAMES_H

/* SHA-256 in hex of a completed lesion's rows: string[L] */
#define LES_STORE_LESION_SHA "/lesions/sha256"
/* First bytes of the SHA-256 of a cell's values: uint64 [P] and [L, P] */
#define LES_STORE_BASELINE_CHECK "/baseline/check"
#define LES_STORE_CELL_CHECK     "/cells/check"

/* Attributes of /: see les_store_history; the date of the first start */
#define LES_STORE_CELLS_FLAGGED "cells_flagged"
#define LES_STORE_STARTS        "starts"
#define LES_STORE_STARTED       "started"
#define LES_STORE_FINISHED      "finished"
#define LES_STORE_HOSTS         "hosts"

enum { LES_STORE_SHA_BYTES = 64 };

#endif
