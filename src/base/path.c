#include "base/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of the folder's part of `path` with the slash behind it; 0 if there is none. */
static size_t folder_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

char *les_path_folder(const char *path) {
  size_t n = folder_length(path);
  if (n == 0) return strdup(".");
  return strndup(path, n > 1 ? n - 1 : 1);
}

char *les_path_join(const char *folder, const char *name) {
  char *out;
  return asprintf(&out, "%s/%s", folder, name) < 0 ? NULL : out;
}

char *les_path_beside(const char *file, const char *name) {
  char *out;
  int n = *name == '/' ? 0 : (int)folder_length(file);
  return asprintf(&out, "%.*s%s", n, file, name) < 0 ? NULL : out;
}

bool les_path_has_suffix(const char *path, const char *suffix) {
  const char *last = path + folder_length(path);
  size_t n = strlen(last), n_suffix = strlen(suffix);
  return n > n_suffix && !strcmp(last + n - n_suffix, suffix);
}

char *les_path_with_suffix(const char *path, const char *suffix, const char *with) {
  char *out;
  size_t n = strlen(path) - (les_path_has_suffix(path, suffix) ? strlen(suffix) : 0);
  return asprintf(&out, "%.*s%s", (int)n, path, with) < 0 ? NULL : out;
}

char *les_path_stem(const char *path, const char *suffix) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') n--;
  char *whole = strndup(path, n);
  if (!whole) return NULL;
  if (suffix && les_path_has_suffix(whole, suffix)) whole[n - strlen(suffix)] = 0;
  memmove(whole, whole + folder_length(whole), strlen(whole) - folder_length(whole) + 1);
  return whole;
}
