/* The record of one cell (a lesion on a column) and the table of its fields: everything that is computed,
 * stored in the result file and read back is a row here. Adding a measure is adding a row and computing it
 * (job/record.c).
 */
#ifndef LES_MEASURE_FIELD_H
#define LES_MEASURE_FIELD_H

#include "base/status.h"
#include "base/want.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum les_field_id {
  LES_FIELD_TOKENS,
  LES_FIELD_LENGTH,
  LES_FIELD_JACCARD,
  LES_FIELD_JACCARD_TOKEN,
  LES_FIELD_COMMON_PREFIX,
  LES_FIELD_MEAN_NLL,
  LES_FIELD_PERPLEXITY,
  LES_FIELD_DELTA_NLL,
  LES_FIELD_KL_MEAN,
  LES_FIELD_KL_MAX,
  LES_FIELD_TOP1_AGREEMENT,
  LES_FIELD_LABEL,
  LES_FIELD_LOOP_LENGTH,
  LES_FIELD_LOOP_START,
  LES_FIELD_LOOP_COUNT,
  LES_FIELD_DISTINCT_1,
  LES_FIELD_DISTINCT_2,
  LES_FIELD_DISTINCT_3,
  LES_FIELD_LOGPROB_INTACT,
  LES_FIELD_KNOWN_WORDS,
  LES_FIELD_TRACE_LOGPROB,
  LES_FIELD_TRACE_ENTROPY,
  LES_FIELD_TRACE_RANK,
  LES_FIELD_HIDDEN_NORM,
  LES_FIELD_ATTN_ENTROPY,
  LES_FIELD_ACC,
  LES_FIELD_ACC_NORM,
  LES_FIELD_ACC_BYTES,
  LES_FIELD_LOGLIK,
  LES_N_FIELDS
} les_field_id;

typedef enum les_field_type { LES_FIELD_F32, LES_FIELD_I32, LES_FIELD_U8 } les_field_type;

/* How many values a cell has: one, one per new token (padded with -1 or NaN), one per layer of the model. */
typedef enum les_field_extent { LES_EXTENT_ONE, LES_EXTENT_TOKENS, LES_EXTENT_LAYERS } les_field_extent;

/* The least and the largest value that a measure can have; infinite: no bound. */
typedef struct les_range {
  double low, high;
} les_range;

typedef struct les_field {
  const char *name;  /* of the data set: "kl_mean" */
  const char *group; /* of the job's `measures` that it comes with: "kl"; NULL: always there when tokens are
                        generated */
  les_field_type type;
  les_field_extent extent;
  unsigned want;    /* LES_WANT_ flags: what the engine has to compute for it beside the continuation */
  bool baseline;    /* has a value for the intact run alone, stored in /baseline */
  bool generated;   /* needs a continuation: left out where nothing is generated */
  int damage;       /* 1: grows with damage, -1: falls with it, 0: says nothing about it */
  const char *help; /* one line */
  les_range range;
  double margin; /* damage, in the measure's units, that most users would call none; 0: nothing to say */
} les_field;

extern const les_field les_fields[LES_N_FIELDS];

/* Size in bytes of one value. */
size_t les_field_size(les_field_type type);

/* The field of that name, or -1. */
int les_field_find(const char *name);

/* Which measure of divergence stands for a lesion where none is asked for. */
typedef enum les_preference {
  LES_PREFER_TEXT,  /* what a reader of the continuations sees: jaccard, else kl_mean, else delta_nll */
  LES_PREFER_LOGITS /* what small damage moves first: kl_mean, else jaccard */
} les_preference;

/* The preferred one of the fields that `has` says are there, or -1. */
int les_field_preferred(les_preference preference, const bool has[LES_N_FIELDS]);

/* LES_USAGE: `name` is no measure of damage; the message lists those among the fields that `has` says are
 * there. */
les_status les_field_refuse(const char *name, const bool has[LES_N_FIELDS]);

/* True if some field belongs to the measure group `group`. */
bool les_group_exists(const char *group);

/* The measure groups in the order of the table; returns their number. */
int les_group_list(const char *groups[LES_N_FIELDS]);

/* Which fields a sweep has, and where each lies in a record. */
typedef struct les_record_layout {
  bool has[LES_N_FIELDS];
  int count[LES_N_FIELDS];     /* values per cell: 1, max_new_tokens or n_layers */
  size_t offset[LES_N_FIELDS]; /* bytes into a record */
  size_t bytes;                /* of a record */
  unsigned want;               /* LES_WANT_ flags of all its fields */
} les_record_layout;

/* Fields of the named groups for max_new_tokens (0: nothing is generated, fields that need a continuation are
 * left out) and n_layers. LES_USAGE for a group that does not exist. */
les_status les_record_layout_compute(les_record_layout *out, const char *const *groups, int n_groups,
                                     int max_new_tokens, int n_layers);

/* Fills a record with "not computed": NaN, -1, 0 by type. */
void les_record_clear(const les_record_layout *layout, void *record);

#endif
