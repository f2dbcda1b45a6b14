/* Schema 1 of the result file: names, types and shapes, for the writer (mpi/store.h) and the reader
 * (result.h).
 *
 *   /job                     string      the job as JSON (les_study.json)
 *   /lesion /prompt /token /layer int32  dimension scales 0..n-1, attached to every dimension below
 *   /lesions/spec            string[L]   /lesions/layer int32[L] (-1: several)   /lesions/done uint8[L]
 *   /prompts/id, domain, text string[P]
 *   /baseline/FIELD          [P, ...]    fields of the intact run (les_field.baseline)
 *   /baseline/status         uint8[P]    as /cells/status
 *   /cells/FIELD             [L, P, ...] fields of each cell
 *   /cells/status            uint8[L, P] 0 to do, 1 done, 2 failed
 *   /lesions/sha256, /baseline/check, /cells/check   check sums of what is done
 *
 * Strings are fixed length, UTF-8, null-padded. Attributes of / hold what may differ from run to run; no data
 * set does. Readers ignore data sets and attributes that they do not know. */
#ifndef LES_RESULT_SCHEMA_H
#define LES_RESULT_SCHEMA_H

#include "measure/field.h"

enum { LES_SCHEMA = 1 };
enum { LES_CELL_TODO = 0, LES_CELL_DONE = 1, LES_CELL_FAILED = 2 };

typedef enum les_dataset_type { LES_DATA_STRING, LES_DATA_I32, LES_DATA_F32, LES_DATA_U8 } les_dataset_type;

/* The data set of a field in /cells, or in /baseline. */
typedef struct les_dataset {
  char path[64]; /* "/cells/kl_mean" */
  les_dataset_type type;
  int n_dims; /* (L, P), or (P) in /baseline; one more for tokens or layers */
} les_dataset;

les_dataset les_dataset_of_field(les_field_id field, bool baseline);

/* Names of the data sets that are not a field's. */
#define LES_DATA_JOB           "/job"
#define LES_DATA_LESION_SPEC   "/lesions/spec"
#define LES_DATA_LESION_LAYER  "/lesions/layer"
#define LES_DATA_LESION_DONE   "/lesions/done"
#define LES_DATA_PROMPT_ID     "/prompts/id"
#define LES_DATA_PROMPT_DOMAIN "/prompts/domain"
#define LES_DATA_PROMPT_TEXT   "/prompts/text"
#define LES_DATA_CELL_STATUS   "/cells/status"

/* Attributes of /. Strings are fixed length; numbers are int64. */
#define LES_ATTR_SCHEMA         "schema"         /* LES_SCHEMA */
#define LES_ATTR_PROGRAM        "program"        /* string, "lesion 0.1.0" */
#define LES_ATTR_MODEL_NAME     "model_name"     /* string */
#define LES_ATTR_MODEL_SHA256   "model_sha256"   /* string */
#define LES_ATTR_MODEL_LAYERS   "model_layers"   /* number */
#define LES_ATTR_ARCHITECTURE   "architecture"   /* string */
#define LES_ATTR_COMPUTE        "compute"        /* string */
#define LES_ATTR_PROMPTS_SHA256 "prompts_sha256" /* string */
#define LES_ATTR_CELLS_COMPUTED "cells_computed" /* number, over all starts */

#endif
