/* Rows of a data file as JSON objects, in whichever of the usual formats they come: JSONL, a JSON array, CSV
 * or TSV with a header. */
#ifndef LES_DATA_ROWS_H
#define LES_DATA_ROWS_H

#include "base/json.h"

/* Whether the name of a file says that it holds rows: .jsonl, .ndjson, .json, .csv, .tsv. */
bool les_rows_named(const char *path);

/* Calls `row` for each row of a file; at.line is where the row starts. A failure ends the reading with it.
 *
 * .csv and .tsv: fields are separated by a comma or a tab and quoted as RFC 4180 has it, the first row names
 * them; each row becomes an object of strings, in which an empty field is left out. Anything else is JSON: an
 * array of rows if it starts with "[", else a row a line. A byte order mark and line ends with \r are
 * accepted everywhere. sha256 (may be NULL) receives the digest of the file's text. */
les_status les_rows_read(const char *path, les_json_line_fn *row, void *ctx, char sha256[65]);

#endif
