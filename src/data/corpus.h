/* Calibration texts: one source, or a weighted mix of several, as passages to read through a model.
 *
 * A source is a text file (one document), a file of rows such as .jsonl or .csv (a document a row: the value
 * of its "text", or of another of the hub's usual keys) or a folder of such files, read in the order of their
 * names. A .json file is a mix, paths relative to it:
 *
 *   [{"file": "wiki.jsonl", "weight": 0.7, "samples": 120}, {"file": "code/", "weight": 0.3, "field":
 * "body"}]
 *
 * weight: the source's share in a mean over all tokens, whatever its length (default 1). samples: how many of
 * its documents are drawn, without replacement (default: all). field: the key of a document's text. */
#ifndef LES_DATA_CORPUS_H
#define LES_DATA_CORPUS_H

#include "data/passage.h"

typedef struct les_corpus {
  les_passage *passages; /* (n) in the order of sources and documents */
  int n;
  char sha256[65]; /* of all tokens and weights */
} les_corpus;

/* Reads and encodes a source or a mix; which documents are drawn depends on `seed`. Errors name the file. */
les_status les_corpus_read(les_corpus *out, const char *path, const les_tokenizer *tokenizer, uint64_t seed);
void les_corpus_free(les_corpus *c);

#endif
