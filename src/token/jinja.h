/* Chat templates: the part of the template language Jinja that they are written in, as transformers renders
 * them (Jinja 3.1 with trim_blocks, lstrip_blocks, break and continue, and {% generation %}).
 *
 * Known: if, for (with if, else and loop), set (also as a block, and of namespaces), macro, filter, raw,
 * break, continue, generation; every operator but **; the filters, tests and methods of the tables in
 * jinja_filters.c, jinja_tests.c and jinja_methods.c; the functions namespace, range, dict, raise_exception
 * and strftime_now. Anything else is refused with its name and line: nothing is rendered by guessing.
 *
 * "Now" is always 26 July 2024, the date that Llama 3's own templates fall back on: a prompt may not have
 * other tokens tomorrow.
 *
 * Templates come with models and are not trusted: memory, steps and depth of nesting are bounded. */
#ifndef LES_TOKEN_JINJA_H
#define LES_TOKEN_JINJA_H

#include "base/buffer.h"

#include <cjson/cJSON.h>

typedef struct les_jinja les_jinja;

/* Parses n bytes of a template, of which a copy is kept. Errors name the template's line. */
les_status les_jinja_open(les_jinja **out, const char *template, size_t n);

/* Appends what the template gives to `out`. `variables` is an object: what the template's names stand for;
 * strings in it are valid UTF-8. What the template says with raise_exception is the message of a failure. */
les_status les_jinja_render(const les_jinja *template, const cJSON *variables, les_buffer *out);

/* Frees; *template becomes NULL. Accepts NULL. */
void les_jinja_close(les_jinja **template);

#endif
