#include "cli/output.h"

#include "base/json.h"
#include "job/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_finish(les_status status) {
  static const int codes[] = {[LES_OK] = 0, [LES_FAILED] = 1, [LES_USAGE] = 2, [LES_STOPPED] = 75};
  if (status != LES_OK) fprintf(stderr, "lesion: %s\n", les_message());
  return codes[status];
}

void cli_close_output(void) {
  bool failed = ferror(stdout);
  errno = 0;
  if (fflush(stdout) == 0 && !failed) return;
  fprintf(stderr, "lesion: standard output could not be written%s%s\n", errno ? ": " : "",
          errno ? strerror(errno) : "");
  _exit(1);
}

/* Ends the process on the spot if there is no memory: what is half built is not printed, nor freed. */
static void need(const void *memory, const char *what) {
  if (!memory) _exit(cli_finish(les_no_memory("%s", what)));
}

void *cli_grow(void *items, int n, size_t size) {
  void *grown = realloc(items, ((size_t)n + 1) * size);
  need(grown, "the command line");
  return grown;
}

cJSON *cli_document(const les_model *model, int compute) {
  cJSON *doc = cJSON_CreateObject();
  les_json_add_string(doc, "model", model->name);
  les_json_add_string(doc, "compute", les_compute_name((les_compute)compute));
  return doc;
}

void cli_print_json(cJSON *doc) {
  char *text = cJSON_Print(doc);
  need(text, "the JSON document");
  puts(text);
  cJSON_free(text);
  cJSON_Delete(doc);
}
