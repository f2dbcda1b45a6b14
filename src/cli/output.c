#include "cli/output.h"

#include "job/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_finish(les_status status) {
  if (status != LES_OK) fprintf(stderr, "lesion: %s\n", les_message());
  return les_exit_code(status);
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

static const char document[] = "the JSON document";

cJSON *cli_object(void) {
  cJSON *object = cJSON_CreateObject();
  need(object, document);
  return object;
}

void cli_add(cJSON *parent, const char *name, cJSON *item) {
  need(item, document);
  bool added = name ? cJSON_AddItemToObject(parent, name, item) : cJSON_AddItemToArray(parent, item);
  need(added ? item : NULL, document);
}

cJSON *cli_add_object(cJSON *parent, const char *name) {
  cJSON *item = cJSON_CreateObject();
  cli_add(parent, name, item);
  return item;
}

cJSON *cli_add_array(cJSON *parent, const char *name) {
  cJSON *item = cJSON_CreateArray();
  cli_add(parent, name, item);
  return item;
}

void cli_add_string(cJSON *parent, const char *name, const char *value) {
  cli_add(parent, name, cJSON_CreateString(value));
}

void cli_add_number(cJSON *parent, const char *name, double value) {
  cli_add(parent, name, cJSON_CreateNumber(value));
}

void cli_add_bool(cJSON *parent, const char *name, bool value) {
  cli_add(parent, name, cJSON_CreateBool(value));
}

void cli_add_ints(cJSON *parent, const char *name, const int *values, int n) {
  cli_add(parent, name, n > 0 ? cJSON_CreateIntArray(values, n) : cJSON_CreateArray());
}

void cli_add_floats(cJSON *parent, const char *name, const float *values, int n) {
  cli_add(parent, name, n > 0 ? cJSON_CreateFloatArray(values, n) : cJSON_CreateArray());
}

void cli_add_doubles(cJSON *parent, const char *name, const double *values, int n) {
  cli_add(parent, name, n > 0 ? cJSON_CreateDoubleArray(values, n) : cJSON_CreateArray());
}

cJSON *cli_document(const les_model *model, int compute) {
  cJSON *doc = cli_object();
  cli_add_string(doc, "model", model->name);
  cli_add_string(doc, "compute", les_compute_name((les_compute)compute));
  return doc;
}

void cli_print_json(cJSON *doc) {
  char *text = cJSON_Print(doc);
  need(text, document);
  puts(text);
  cJSON_free(text);
  cJSON_Delete(doc);
}
