/* The grammar of lesions: OP@LAYERS[.PART][:key=value,...] joined by '+', read edit by edit and checked
 * against a model. */
#ifndef LES_LESION_SPEC_PARSER_H
#define LES_LESION_SPEC_PARSER_H

#include "lesion/edit.h"

typedef struct les_spec_parser {
  const char *spec; /* whole text, for messages */
  const char *at;   /* the part not yet read */
  const les_hparams *hparams;
  int each;       /* the layer that `each` stands for */
  bool used_each; /* set when `each` was read */
} les_spec_parser;

/* Reads one edit up to the '+' or the end that follows it. LES_USAGE if it is wrong or does not fit the
 * model. edit->layers is the caller's to free, on failure too. */
les_status les_spec_parse_edit(les_spec_parser *p, les_edit *edit);

/* True for "none" and "none:seed=S". */
bool les_spec_is_intact(const char *spec);

/* Reads such a spec as a whole: *resamples, and the seed if it is true. */
les_status les_spec_parse_intact(les_spec_parser *p, bool *resamples, uint64_t *seed);

#endif
