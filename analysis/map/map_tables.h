/* Tables of the map's text beside that of the layers. Each prints nothing where it has nothing to show. */
#ifndef LES_MAP_MAP_TABLES_H
#define LES_MAP_MAP_TABLES_H

#include "map/map.h"

#include <stdio.h>

/* Where a line is, so that it can be broken before `width`. */
typedef struct les_line {
  FILE *out;
  int width, indent; /* of the lines that go on from one that was broken */
  int column;
} les_line;

/* Prints a word on the line, or on a new one if it does not fit. */
void les_line_print(les_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Bytes of the first `columns` characters of UTF-8 text. */
int les_text_prefix(const char *text, int columns);

/* Means of layers by domains, in as many blocks of columns as the width asks for. */
void les_table_matrix(FILE *out, const les_map *m, int width);

/* Accuracies, labels, proxies and tasks of all lesions. */
void les_table_accuracies(FILE *out, const les_map *m);
void les_table_labels(FILE *out, const les_map *m);
void les_table_proxies(FILE *out, const les_map *m);
void les_table_tasks(FILE *out, const les_map *m);

#endif
