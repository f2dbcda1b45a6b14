/* What a command prints: its JSON document, its end. Memory that runs out while a command reads its options
 * or builds its document ends the process with a message and exit code 1, so that nothing is printed in part.
 */
#ifndef LES_CLI_OUTPUT_H
#define LES_CLI_OUTPUT_H

#include "base/status.h"
#include "model/model.h"

#include <cjson/cJSON.h>
#include <stddef.h>

/* Ends a command: prints "lesion: MESSAGE" as one line on stderr if status is a failure, and gives the exit
 * code (0, 1, 2, 75). */
int cli_finish(les_status status);

/* For atexit, so that --help is checked too: what went to stdout has to arrive (a full disk, a closed pipe),
 * else the process ends with a message and exit code 1. */
void cli_close_output(void);

/* Room for one more item after the n in `items`; the process ends if there is no memory for it. */
void *cli_grow(void *items, int n, size_t size);

/* {"model": ..., "compute": ...}, to be filled. compute: les_compute. */
cJSON *cli_document(const les_model *model, int compute);

/* Prints a document and a newline to stdout and frees it. */
void cli_print_json(cJSON *doc);

#endif
