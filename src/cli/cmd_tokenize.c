#include "base/path.h"
#include "cli/cli.h"
#include "cli/texts.h"
#include "data/documents.h"
#include "data/rows.h"
#include "format/model_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct arguments {
  char *model;
  const char *text, *file, *decode;
  cli_encoding encoding;
  bool lines;
} arguments;

enum { KEY_LINES = CLI_OWN_KEYS };

static const struct argp_option options[] = {
    CLI_TEXT_OPTION("Text to encode", 1),
    CLI_FILE_OPTION("Text file to encode as one document, or .jsonl, .json, .csv or .tsv with one a row; "
                    "'-': standard input",
                    1),
    {"decode", CLI_DECODE, "1,2,3", 0, "Token ids to decode; with --special, special tokens are written too",
     1},
    {"lines", KEY_LINES, NULL, 0, "Every line of the file is a document: one list of tokens a line", 1},
    {"json", CLI_JSON, NULL, 0, "Has no effect: the output is always JSON", 3},
    {0}};
static const struct argp_child children[] = {{&cli_encoding_argp, 0, NULL, 0}, {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &a->encoding;
    return 0;
  case CLI_TEXT:
    a->text = arg;
    return 0;
  case CLI_FILE:
    a->file = !strcmp(arg, "-") ? "/dev/stdin" : arg;
    return 0;
  case CLI_DECODE:
    a->decode = arg;
    return 0;
  case KEY_LINES:
    a->lines = true;
    return 0;
  case CLI_JSON:
    return 0;
  case ARGP_KEY_ARG:
    return cli_take_arg(state, "MODEL", arg, &a->model);
  case ARGP_KEY_END:
    cli_need_arg(state, "MODEL", a->model);
    if (!!a->text + !!a->file + !!a->decode != 1)
      argp_error(state, "one of --text, --file and --decode is needed");
    if (a->encoding.chat && a->decode) argp_error(state, "--chat goes with --text or --file");
    if (a->lines && !a->file) argp_error(state, "--lines goes with --file");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    options,
    parse_option,
    "MODEL",
    "Text to token ids as {\"tokens\": [...]}, or ids to text as {\"text\": \"...\"}.\v"
    "MODEL is a .gguf file, a tokenizer.json, or a directory that holds one.",
    children,
    NULL,
    NULL};

/* The tokenizer beside a .safetensors file. */
static les_status open_beside(les_tokenizer **tok, const char *path) {
  char *folder = les_path_folder(path);
  if (!folder) return les_no_memory("the name of the folder of %s", path);
  les_status status = les_tokenizer_open_folder(tok, folder);
  free(folder);
  return status;
}

static les_status open_gguf(les_tokenizer **tok, const char *path) {
  les_gguf *g;
  LES_TRY(les_gguf_open(&g, path));
  les_status status = les_tokenizer_open_gguf(tok, g);
  if (status != LES_OK) les_fail_in(status, "%s", path);
  les_gguf_close(&g);
  return status;
}

static les_status open_tokenizer(les_tokenizer **tok, const char *model) {
  struct stat st;
  LES_TRY(les_model_files_check(model));
  if (stat(model, &st) == 0 && S_ISDIR(st.st_mode)) return les_tokenizer_open_folder(tok, model);
  if (les_path_has_suffix(model, ".safetensors")) return open_beside(tok, model);
  return les_path_has_suffix(model, ".json") ? les_tokenizer_open_json(tok, model, NULL)
                                             : open_gguf(tok, model);
}

static les_status print_tokens(const les_tokenizer *tok, const char *text, size_t n, const arguments *a) {
  les_tokens t;
  LES_TRY(cli_encode(&a->encoding, tok, text, n, &t));
  printf("{\"tokens\": [");
  for (int i = 0; i < t.n; i++) printf("%s%d", i ? ", " : "", t.ids[i]);
  puts("]}");
  les_tokens_free(&t);
  return LES_OK;
}

/* Every line is a document; what ends it, \n or \r\n, does not belong to it. */
static les_status encode_lines(const les_tokenizer *tok, const char *text, size_t n, const arguments *a) {
  les_status status = LES_OK;
  for (size_t at = 0; at < n && status == LES_OK;) {
    const char *newline = memchr(text + at, '\n', n - at);
    size_t length = newline ? (size_t)(newline - text) - at : n - at;
    bool carriage = newline && length > 0 && newline[-1] == '\r';
    status = print_tokens(tok, text + at, length - carriage, a);
    at += length + 1;
  }
  return status;
}

static les_status encode_file(const les_tokenizer *tok, const arguments *a) {
  les_documents documents = {0};
  les_status status = les_documents_read(&documents, a->file, NULL);
  if (status == LES_OK && a->lines && les_rows_named(a->file))
    status = les_fail(LES_USAGE, "--lines: %s holds a document a row already", a->file);
  for (int i = 0; i < documents.n && status == LES_OK; i++)
    status = (a->lines ? encode_lines : print_tokens)(tok, documents.items[i].text, documents.items[i].n, a);
  les_documents_free(&documents);
  return status;
}

/* Written by hand since a cJSON string ends at its first null character. */
static void print_string(const char *text, size_t n) {
  putchar('"');
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\')
      printf("\\%c", c);
    else if (c < 0x20 || c == 0x7f)
      printf("\\u%04x", c);
    else
      putchar(c);
  }
  putchar('"');
}

static les_status decode(const les_tokenizer *tok, const arguments *a) {
  les_tokens t = {0};
  char *text = NULL;
  size_t n;
  if (*a->decode) LES_TRY(cli_parse_ids(a->decode, &t));
  les_decode_options how = {.special = a->encoding.options.special, .document = true};
  les_status status = les_decode_with(tok, t.ids, t.n, &how, &text, &n);
  if (status == LES_OK) {
    printf("{\"text\": ");
    print_string(text, n);
    puts("}");
  }
  free(text);
  les_tokens_free(&t);
  return status;
}

int cmd_tokenize(int argc, char **argv) {
  arguments a = {.encoding.options.bos = true};
  cli_parse(&argp, argc, argv, &a);
  les_tokenizer *tok = NULL;
  les_status status = open_tokenizer(&tok, a.model);
  if (status == LES_OK && a.text) status = print_tokens(tok, a.text, strlen(a.text), &a);
  if (status == LES_OK && a.file) status = encode_file(tok, &a);
  if (status == LES_OK && a.decode) status = decode(tok, &a);
  les_tokenizer_close(&tok);
  return cli_finish(status);
}
