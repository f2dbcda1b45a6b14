/* The cell: the unit of a sweep's work, storage and reports. */
#ifndef LES_BASE_CELL_H
#define LES_BASE_CELL_H

/* In place of a lesion's index, everywhere: the intact model. */
enum { LES_INTACT = -1 };

/* A lesion on a column of a study. */
typedef struct les_cell {
  int lesion; /* index in the study's lesions, or LES_INTACT */
  int column; /* index in the study's columns */
} les_cell;

#endif
