/* Documents that `map` and `sensitivity` write beside the table that they print. */
#ifndef LES_CLI_DOCUMENT_H
#define LES_CLI_DOCUMENT_H

#include "base/status.h"

#include <stdbool.h>

/* Columns of a table: of the terminal, or COLUMNS where output is none; 100 if neither says. At least 60. */
int cli_width(void);

/* Writes a JSON document to `path`. Unless `asked` (the user has named the file, or said --force), a file
 * that is there is only replaced if it is a document of the same `format`: under a default name may lie
 * something of the user's own. */
les_status cli_write_document(const char *path, bool asked, const char *format, const char *json);

#endif
