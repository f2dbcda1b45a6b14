#include "lesion/spec_parser.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  les_dtype type;
} quant_types[] = {
    {"q8_0", LES_Q8_0}, {"q4_0", LES_Q4_0}, {"q4_1", LES_Q4_1}, {"q5_0", LES_Q5_0}, {"q5_1", LES_Q5_1}};

static les_status wrong(const char *spec, const char *format, ...) __attribute__((format(printf, 2, 3)));
static les_status wrong(const char *spec, const char *format, ...) {
  char reason[512];
  va_list args;
  va_start(args, format);
  vsnprintf(reason, sizeof reason, format, args);
  va_end(args);
  return les_fail(LES_USAGE, "lesion '%.300s': %s", spec, reason);
}

static bool accept(les_spec_parser *p, char c) {
  if (*p->at != c) return false;
  p->at++;
  return true;
}

/* Takes as many letters, digits and '_' as there are; returns their number. */
static int take_word(les_spec_parser *p, const char **word) {
  *word = p->at;
  while (isalnum((unsigned char)*p->at) || *p->at == '_') p->at++;
  return (int)(p->at - *word);
}

static bool word_is(const char *word, int n, const char *text) {
  return strlen(text) == (size_t)n && !memcmp(word, text, (size_t)n);
}

static les_status parse_op(les_spec_parser *p, les_edit *edit) {
  const char *word;
  int n = take_word(p, &word);
  char known[256] = "";
  for (int i = 0; i < LES_N_OPS; i++) {
    const les_operation *op = les_operation_of(i);
    if (word_is(word, n, op->name)) {
      edit->op = i;
      if (!accept(p, '@')) return wrong(p->spec, "'@LAYERS' is missing, as in %s", op->example);
      return LES_OK;
    }
    const char *joint = i == 0 ? "" : i < LES_N_OPS - 1 ? ", " : " and ";
    snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", joint, op->name);
  }
  return wrong(p->spec,
               "'%.*s' is no operation; known are %s, as in skip@3.attn, and none for the intact model", n,
               word, known);
}

static les_status parse_layer(les_spec_parser *p, int *layer) {
  if (!isdigit((unsigned char)*p->at))
    return wrong(p->spec, "a layer number is missing before '%.20s'; layers are 7, 0,5,7, 3-6, * or each",
                 p->at);
  long long n = 0;
  while (isdigit((unsigned char)*p->at)) {
    n = n * 10 + (*p->at++ - '0');
    if (n > p->hparams->n_layers) n = p->hparams->n_layers; /* keeps the sum in range; refused below */
  }
  if (n >= p->hparams->n_layers)
    return wrong(p->spec, "layer outside of the model, which has layers 0 to %d", p->hparams->n_layers - 1);
  *layer = (int)n;
  return LES_OK;
}

/* Marks the layers of "each", "*" or a list of numbers and ranges. */
static les_status parse_layer_set(les_spec_parser *p, bool *in) {
  if (accept(p, '*')) {
    memset(in, 1, (size_t)p->hparams->n_layers);
    return LES_OK;
  }
  if (!strncmp(p->at, "each", 4)) {
    p->at += 4;
    p->used_each = in[p->each] = true;
    return LES_OK;
  }
  do {
    int first, last;
    LES_TRY(parse_layer(p, &first));
    last = first;
    if (accept(p, '-')) LES_TRY(parse_layer(p, &last));
    if (last < first)
      return wrong(p->spec, "the range %d-%d runs backwards; write %d-%d", first, last, last, first);
    for (int l = first; l <= last; l++) {
      if (in[l]) return wrong(p->spec, "layer %d is named twice in one list", l);
      in[l] = true;
    }
  } while (accept(p, ','));
  return LES_OK;
}

static les_status parse_layers(les_spec_parser *p, les_edit *edit) {
  int n_layers = p->hparams->n_layers;
  bool *in = calloc((size_t)n_layers, sizeof *in);
  edit->layers = calloc((size_t)n_layers, sizeof *edit->layers);
  les_status status =
      in && edit->layers ? parse_layer_set(p, in) : les_no_memory("a set of %d layers", n_layers);
  for (int l = 0; status == LES_OK && l < n_layers; l++)
    if (in[l]) edit->layers[edit->n_layers++] = l;
  free(in);
  return status;
}

static les_status parse_head(const les_spec_parser *p, const char *digits, int n, les_edit *edit) {
  int head = 0;
  for (int i = 0; i < n; i++) {
    if (!isdigit((unsigned char)digits[i]))
      return wrong(p->spec, "write a head as attn.head0, not head%.*s", n, digits);
    if (head < p->hparams->n_heads) head = head * 10 + (digits[i] - '0');
  }
  if (n == 0) return wrong(p->spec, "a head needs its number, as in attn.head0");
  if (head >= p->hparams->n_heads)
    return wrong(p->spec, "head outside of the model, whose layers have heads 0 to %d",
                 p->hparams->n_heads - 1);
  edit->part = LES_PART_HEAD;
  edit->head = head;
  return LES_OK;
}

/* The rest of a part after "attn" or "mlp": nothing, a matrix, or a head. */
static les_status parse_part(les_spec_parser *p, les_edit *edit) {
  edit->part = LES_PART_BLOCK;
  if (!accept(p, '.')) return LES_OK;
  const char *word;
  int n = take_word(p, &word);
  bool attn = word_is(word, n, "attn");
  if (!attn && !word_is(word, n, "mlp"))
    return wrong(p->spec,
                 "'.%.*s' is no part; parts are .attn, .mlp, .attn.q|k|v|o, .attn.headH and "
                 ".mlp.gate|up|down; the whole block has none",
                 n, word);
  edit->part = attn ? LES_PART_ATTN : LES_PART_MLP;
  if (!accept(p, '.')) return LES_OK;
  n = take_word(p, &word);
  if (attn && n >= 4 && !memcmp(word, "head", 4)) return parse_head(p, word + 4, n - 4, edit);
  for (int i = attn ? LES_Q : LES_GATE; i <= (attn ? LES_O : LES_DOWN); i++)
    if (word_is(word, n, strchr(les_linear_name(i), '.') + 1)) {
      if (i == LES_GATE && !p->hparams->gated)
        return wrong(p->spec, "the MLPs of this model have no gate; their matrices are mlp.up and mlp.down");
      edit->part = LES_PART_LINEAR;
      edit->linear = i;
      return LES_OK;
    }
  return wrong(p->spec, "'%.*s' is no part of %s, which has %s", n, word, attn ? "attn" : "mlp",
               attn                ? "q, k, v, o and headH"
               : p->hparams->gated ? "gate, up and down"
                                   : "up and down");
}

/* A number as strtod reads it: the '+' of "1e+5" is part of it, and does not separate edits. */
static les_status take_number(les_spec_parser *p, int key, double low, double high, const char *range,
                              double *value) {
  char *end;
  double v = isspace((unsigned char)*p->at) ? NAN : strtod(p->at, &end);
  if (!(v >= low && v <= high) || end == p->at)
    return wrong(p->spec, "%s= needs %s, not '%.40s'", les_op_key_name(key), range, p->at);
  p->at = end;
  *value = v;
  return LES_OK;
}

static les_status take_integer(les_spec_parser *p, int key, uint64_t low, uint64_t high, uint64_t *value) {
  const char *start = p->at;
  uint64_t v = 0;
  bool fits = isdigit((unsigned char)*p->at);
  for (; isdigit((unsigned char)*p->at); p->at++) {
    unsigned digit = (unsigned)(*p->at - '0');
    fits = fits && v <= (UINT64_MAX - digit) / 10;
    v = v * 10 + digit;
  }
  if (!fits || v < low || v > high)
    return wrong(p->spec, "%s= needs a whole number from %llu to %llu, not '%.40s'", les_op_key_name(key),
                 (unsigned long long)low, (unsigned long long)high, start);
  *value = v;
  return LES_OK;
}

static les_status take_type(les_spec_parser *p, les_edit *edit) {
  const char *word;
  int n = take_word(p, &word);
  for (size_t i = 0; i < sizeof quant_types / sizeof *quant_types; i++)
    if (word_is(word, n, quant_types[i].name)) return edit->dtype = quant_types[i].type, LES_OK;
  return wrong(p->spec, "type= is q8_0, q4_0, q4_1, q5_0 or q5_1, not '%.*s'", n, word);
}

static les_status parse_value(les_spec_parser *p, int key, les_edit *edit) {
  uint64_t rank = 0;
  switch (key) {
  case LES_KEY_SEED:
    return take_integer(p, key, 0, UINT64_MAX, &edit->seed);
  case LES_KEY_SIGMA:
    return take_number(p, key, 0, FLT_MAX, "a number from 0", &edit->sigma);
  case LES_KEY_RANK:
    LES_TRY(take_integer(p, key, 1, INT32_MAX, &rank));
    edit->rank = (int)rank;
    return LES_OK;
  case LES_KEY_KEEP:
    return take_number(p, key, 1e-9, 1, "a share above 0 and up to 1", &edit->keep);
  case LES_KEY_ALPHA:
    return take_number(p, key, -FLT_MAX, FLT_MAX, "a number", &edit->alpha);
  default:
    return take_type(p, edit);
  }
}

static les_status parse_keys(les_spec_parser *p, les_edit *edit) {
  const les_operation *op = les_operation_of(edit->op);
  int seen = 0;
  if (accept(p, ':')) do {
      const char *word;
      int n = take_word(p, &word), key = 0;
      while (key < LES_N_OP_KEYS && !((op->keys >> key & 1) && word_is(word, n, les_op_key_name(key)))) key++;
      if (key == LES_N_OP_KEYS || !accept(p, '='))
        return wrong(p->spec, "'%.40s' is no key=value of %s; right is %s", word, op->name, op->example);
      if (seen >> key & 1) return wrong(p->spec, "%s= is given twice", les_op_key_name(key));
      seen |= 1 << key;
      LES_TRY(parse_value(p, key, edit));
    } while (accept(p, ','));
  if (op->dose && !(seen & op->dose))
    return wrong(p->spec, "%s needs a value, as in %s", op->name, op->example);
  if ((seen & op->dose) == (1 << LES_KEY_RANK | 1 << LES_KEY_KEEP))
    return wrong(p->spec, "give either rank= or keep=");
  return LES_OK;
}

/* Limits that follow from the sizes of the matrices. */
static les_status check_matrices(const les_spec_parser *p, const les_edit *edit) {
  if (edit->op != LES_OP_SVD && edit->op != LES_OP_QUANT) return LES_OK;
  unsigned set = les_edit_linears(edit, p->hparams);
  int64_t fullest = 0, rows, cols;
  for (int id = 0; id < LES_N_LINEAR; id++) {
    if (!(set >> id & 1)) continue;
    les_linear_size(p->hparams, (les_linear_id)id, &rows, &cols);
    int64_t full = rows < cols ? rows : cols;
    if (full > fullest) fullest = full;
    int block = edit->op == LES_OP_QUANT ? les_dtype_find(edit->dtype)->block_elements : 1;
    if (cols % block)
      return wrong(p->spec, "%s has rows of %lld elements, but this type needs a multiple of %d",
                   les_linear_name(id), (long long)cols, block);
  }
  if (edit->op == LES_OP_SVD && edit->rank > fullest)
    return wrong(p->spec, "rank=%d is more than the full rank, which is %lld here", edit->rank,
                 (long long)fullest);
  return LES_OK;
}

les_status les_spec_parse_edit(les_spec_parser *p, les_edit *edit) {
  *edit = (les_edit){.alpha = 1};
  LES_TRY(parse_op(p, edit));
  LES_TRY(parse_layers(p, edit));
  LES_TRY(parse_part(p, edit));
  const les_operation *op = les_operation_of(edit->op);
  if (!(op->parts >> edit->part & 1)) return wrong(p->spec, "%s takes %s", op->name, op->takes);
  LES_TRY(parse_keys(p, edit));
  if (*p->at && *p->at != '+')
    return wrong(p->spec, "'%.40s' is not understood; right is %s", p->at, op->example);
  return check_matrices(p, edit);
}

bool les_spec_is_intact(const char *spec) {
  return !strcmp(spec, "none") || !strncmp(spec, "none:", 5);
}

les_status les_spec_parse_intact(les_spec_parser *p, bool *resamples, uint64_t *seed) {
  const char *word;
  *resamples = false;
  if (!strcmp(p->spec, "none")) return LES_OK;
  p->at = p->spec + 5;
  int n = take_word(p, &word);
  if (!word_is(word, n, "seed") || !accept(p, '='))
    return wrong(p->spec, "'%.40s' is no key=value of none; right is none:seed=1", word);
  LES_TRY(take_integer(p, LES_KEY_SEED, 0, UINT64_MAX, seed));
  if (*p->at == '+') return wrong(p->spec, "none stands alone: it is the intact model");
  if (*p->at) return wrong(p->spec, "'%.40s' is not understood; right is none:seed=1", p->at);
  *resamples = true;
  return LES_OK;
}
