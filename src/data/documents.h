/* Documents of a text file, a file of rows (rows.h: JSONL, JSON, CSV, TSV), or a folder of them. */
#ifndef LES_DATA_DOCUMENTS_H
#define LES_DATA_DOCUMENTS_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct les_document_text {
  char *text; /* (n) UTF-8, null-terminated; owned */
  size_t n;
} les_document_text;

typedef struct les_documents {
  les_document_text *items;
  int n;
} les_documents;

/* Adds all documents at `path`: of a text file one, of a file that is named as one of rows one a row, of a
 * folder those of its files in the order of their names, folders in it too (hidden ones and links to folders
 * are left out). field: the key of a row's text; NULL: the first of the keys that the hub's data sets use.
 * Files that are not UTF-8 are an error. */
les_status les_documents_read(les_documents *d, const char *path, const char *field);

/* Keeps n of them, in their order, drawn without replacement, keyed by (seed, source, number of the
 * document). Fails if there are fewer. */
les_status les_documents_draw(les_documents *d, int n, uint64_t seed, uint32_t source);
void les_documents_free(les_documents *d);

#endif
