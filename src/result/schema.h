/* Schema 1 of the result file: names, types and shapes, for the writer (mpi/store) and the reader
 * (result/reader.h). L lesions, P columns, which the file calls prompts.
 *
 *   /job                      string       the job as JSON (les_study.json)
 *   /lesion /prompt /token /layer  int32   dimension scales 0..n-1, attached to every dimension below
 *   /lesions/spec             string[L]    as in the job, with a layer in place of `each`: "skip@3.attn"
 *   /lesions/layer            int32[L]     the one layer that the lesion touches; -1: several or none
 *   /lesions/family           string[L]    the spec with `each` in place of that layer: "skip@each.attn"
 *   /lesions/operation        string[L]    "skip"; "none": the intact model, also "none:seed=S"; "several":
 *                                          several edits
 *   /lesions/part             string[L]    "block", "attn", "attn.head0", "mlp.down"; "none", "several"
 *   /lesions/dose             float32[L]   strength of the operation; NaN: it has none, or several edits
 *   /lesions/dose_key         string[L]    what the dose is: "sigma", "rank", "keep", "alpha", or "type",
 *                                          of which the dose is the bits per weight; "": there is none
 *   /lesions/done             uint8[L]     1: every cell is final, and sha256 is that of its rows
 *   /lesions/sha256           string[L]
 *   /prompts/id, domain, text string[P]    ids with "#1", "#2" ... behind them for samples of one prompt
 *   /baseline/FIELD           [P, ...]     fields of the intact run (les_field.baseline)
 *   /baseline/status, check   [P]          as in /cells
 *   /cells/FIELD              [L, P, ...]  fields of each cell (les_field)
 *   /cells/status             uint8[L, P]  0 to do, 1 done, 2 failed
 *   /cells/check              uint64[L, P] the first bytes of the SHA-256 of the cell's values
 *
 * Strings are fixed length, UTF-8, null-padded. Attributes of / hold what may differ from run to run; no data
 * set does. Readers ignore data sets and attributes that they do not know. Older files lack family,
 * operation, part, dose and dose_key: the reader has the first three from the spec (result/spec.h). */
#ifndef LES_RESULT_SCHEMA_H
#define LES_RESULT_SCHEMA_H

#include "measure/field.h"

enum { LES_SCHEMA = 1 };
enum { LES_CELL_TODO = 0, LES_CELL_DONE = 1, LES_CELL_FAILED = 2 };

enum { LES_PATH_BYTES = 64, LES_SHA_BYTES = 64 };

/* Data set of a field in /cells, or in /baseline: "/cells/kl_mean". */
void les_field_path(les_field_id field, bool baseline, char path[LES_PATH_BYTES]);

/* Names of the data sets that are not a field's. */
#define LES_DATA_JOB              "/job"
#define LES_DATA_LESION_SPEC      "/lesions/spec"
#define LES_DATA_LESION_LAYER     "/lesions/layer"
#define LES_DATA_LESION_FAMILY    "/lesions/family"
#define LES_DATA_LESION_OPERATION "/lesions/operation"
#define LES_DATA_LESION_PART      "/lesions/part"
#define LES_DATA_LESION_DOSE      "/lesions/dose"
#define LES_DATA_LESION_DOSE_KEY  "/lesions/dose_key"
#define LES_DATA_LESION_DONE      "/lesions/done"
#define LES_DATA_LESION_SHA256    "/lesions/sha256"
#define LES_DATA_PROMPT_ID        "/prompts/id"
#define LES_DATA_PROMPT_DOMAIN    "/prompts/domain"
#define LES_DATA_PROMPT_TEXT      "/prompts/text"
#define LES_DATA_BASELINE_STATUS  "/baseline/status"
#define LES_DATA_BASELINE_CHECK   "/baseline/check"
#define LES_DATA_CELL_STATUS      "/cells/status"
#define LES_DATA_CELL_CHECK       "/cells/check"

/* Attributes of /. Strings are fixed length; numbers are int64. */
#define LES_ATTR_SCHEMA         "schema"         /* number, LES_SCHEMA */
#define LES_ATTR_PROGRAM        "program"        /* string, "lesion 0.1.0" */
#define LES_ATTR_MODEL_NAME     "model_name"     /* string */
#define LES_ATTR_MODEL_SHA256   "model_sha256"   /* string */
#define LES_ATTR_MODEL_LAYERS   "model_layers"   /* number */
#define LES_ATTR_ARCHITECTURE   "architecture"   /* string */
#define LES_ATTR_COMPUTE        "compute"        /* string */
#define LES_ATTR_PROMPTS_SHA256 "prompts_sha256" /* string */
#define LES_ATTR_STARTED        "started"        /* string, date of the first start */
/* Written in place at every start and checkpoint: les_store_history (store/store_file.h). */
#define LES_ATTR_CELLS_COMPUTED "cells_computed" /* number */
#define LES_ATTR_CELLS_FLAGGED  "cells_flagged"  /* number */
#define LES_ATTR_STARTS         "starts"         /* number */
#define LES_ATTR_FINISHED       "finished"       /* string */
#define LES_ATTR_HOSTS          "hosts"          /* string */

#endif
