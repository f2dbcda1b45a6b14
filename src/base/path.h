/* Paths of files, as text: the folder of one, names beside it, suffixes. Nothing here looks at the disk. What
 * is returned as char * is the caller's; NULL: out of memory. */
#ifndef LES_BASE_PATH_H
#define LES_BASE_PATH_H

#include <stdbool.h>

/* The folder that holds `path`: "models" of "models/a.gguf", "/" of "/a", "." of "a". */
char *les_path_folder(const char *path);

/* FOLDER/NAME. */
char *les_path_join(const char *folder, const char *name);

/* `name` as a file that names it means it: relative to the folder of that `file`, or as it is if absolute. */
char *les_path_beside(const char *file, const char *name);

/* True if the last part of `path` is more than `suffix` and ends with it: "a/b.gguf" has ".gguf", "a/.gguf"
 * has not. */
bool les_path_has_suffix(const char *path, const char *suffix);

/* `path` with `suffix`, if it has it, replaced by `with`; else with `with` appended: "run.h5" of "run.json".
 */
char *les_path_with_suffix(const char *path, const char *suffix, const char *with);

/* The last part of `path` without trailing slashes and without `suffix`, if it has it; suffix may be NULL.
 */
char *les_path_stem(const char *path, const char *suffix);

#endif
