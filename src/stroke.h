/* One stroke of a lesion: OP@LAYERS[.PART][:key=value,...] read and checked against a model. */
#ifndef LES_STROKE_H
#define LES_STROKE_H

#include "lesion.h"

/* Where the reading of a spec stands. */
typedef struct les_spec_parser {
  const char *spec; /* whole text, for messages */
  const char *at;
  const les_shape *shape;
  int each;       /* the layer that `each` stands for */
  bool used_each; /* set when it was met */
} les_spec_parser;

/* Reads one stroke up to the '+' or the end behind it. LES_USAGE if it is wrong or does not fit the model.
 * What s->layers holds is the caller's to free, on failure too. */
les_status les_stroke_parse(les_spec_parser *p, les_stroke *s);

/* The matrices that a stroke's part holds, bit 1 << les_linear_id each; for a head, the one that has its
 * columns. */
unsigned les_stroke_linears(const les_stroke *s, const les_shape *shape);

#endif
