/* What the writer adds to the schema for its own use: check sums that a start verifies, and the history. */
#ifndef LES_STORE_STORE_NAMES_H
#define LES_STORE_STORE_NAMES_H

/* SHA-256 in hex of a completed lesion's rows: string[L] */
#define LES_STORE_LESION_SHA "/lesions/sha256"

/* Groups of the intact runs, [P, ...], and of the cells, [L, P, ...]. In each, beside the fields: */
#define LES_STORE_BASELINE "/baseline"
#define LES_STORE_CELLS    "/cells"
#define LES_STORE_STATUS   "status" /* uint8 */
#define LES_STORE_CHECK    "check"  /* uint64: the first bytes of the SHA-256 of the values */

/* Attributes of /: see les_store_history; the date of the first start */
#define LES_STORE_CELLS_FLAGGED "cells_flagged"
#define LES_STORE_STARTS        "starts"
#define LES_STORE_STARTED       "started"
#define LES_STORE_FINISHED      "finished"
#define LES_STORE_HOSTS         "hosts"

enum { LES_STORE_SHA_BYTES = 64 };

#endif
