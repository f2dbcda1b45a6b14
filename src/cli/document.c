#include "cli/document.h"

#include "base/file.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FEWEST_COLUMNS = 60, USUAL_COLUMNS = 100, MOST_COLUMNS = 1000 };

int cli_width(void) {
  struct winsize size = {0};
  const char *columns = getenv("COLUMNS");
  long width = 0;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) width = size.ws_col;
  if (width <= 0 && columns) width = strtol(columns, NULL, 10);
  if (width <= 0) width = USUAL_COLUMNS;
  return (int)(width < FEWEST_COLUMNS ? FEWEST_COLUMNS : width > MOST_COLUMNS ? MOST_COLUMNS : width);
}

/* True if the file is a JSON document with that `format`. */
static bool has_format(const char *path, const char *format) {
  cJSON *doc;
  if (les_json_read(&doc, path) != LES_OK) return false;
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(doc, "format");
  bool same = cJSON_IsString(item) && !strcmp(item->valuestring, format);
  cJSON_Delete(doc);
  return same;
}

les_status cli_write_document(const char *path, bool asked, const char *format, const char *json) {
  if (!asked && access(path, F_OK) == 0 && !has_format(path, format))
    return les_fail(LES_FAILED,
                    "%s: is there already and was not written by this command, so it is left as it is; name "
                    "another file, or say --force",
                    path);
  return les_file_write(path, json, strlen(json));
}
