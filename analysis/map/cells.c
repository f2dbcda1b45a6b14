#include "map/cells.h"

#include <math.h>
#include <stdlib.h>

/* True if the measure applies to the prompt: if some run has a finite value of it. Where all have failed,
 * nothing says that it does not. */
static bool is_measured(const les_cells *c, const les_result *r, int prompt) {
  bool failed = false, done = false;
  if (c->intact && isfinite(c->intact[prompt])) return true;
  for (int i = 0; i < r->n_lesions; i++) {
    size_t cell = (size_t)i * (size_t)r->n_prompts + (size_t)prompt;
    failed = failed || r->status[cell] == LES_CELL_FAILED;
    if (r->status[cell] != LES_CELL_DONE) continue;
    if (isfinite(c->values[cell])) return true;
    done = true;
  }
  return failed && !done && !c->intact;
}

static double worst_value(const les_cells *c, const les_result *r) {
  double sign = c->field->damage, worst = sign > 0 ? c->field->range.high : c->field->range.low;
  if (isfinite(worst)) return worst;
  worst = NAN;
  size_t n = (size_t)r->n_lesions * (size_t)r->n_prompts;
  for (size_t i = 0; i < n; i++)
    if (r->status[i] == LES_CELL_DONE && isfinite(c->values[i]) &&
        (isnan(worst) || sign * c->values[i] > sign * worst))
      worst = c->values[i];
  return worst;
}

/* The n numbers at `values` become their mean, which stands for all of them: the samples of a prompt are one
 * observation, however many there are. */
static void average(double *values, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += values[i];
  values[0] = sum / n;
  for (int i = 1; i < n; i++) values[i] = NAN;
}

static void fold_samples(les_cells *c, const les_result *r) {
  for (int p = 0, n; r->further_sample && p < r->n_prompts; p += n) {
    for (n = 1; p + n < r->n_prompts && r->further_sample[p + n];) n++;
    if (c->intact) average(c->intact + p, n);
    for (int i = 0; i < r->n_lesions; i++) {
      size_t cell = (size_t)i * (size_t)r->n_prompts + (size_t)p;
      average(c->values + cell, n);
      for (int k = 1; k < n; k++) {
        c->lost[cell] = c->lost[cell] || c->lost[cell + (size_t)k];
        c->lost[cell + (size_t)k] = false;
      }
    }
  }
}

static void replace_lost(les_cells *c, const les_result *r) {
  double worst = worst_value(c, r);
  for (int p = 0; p < r->n_prompts; p++) {
    bool measured = is_measured(c, r, p);
    for (int i = 0; i < r->n_lesions; i++) {
      size_t cell = (size_t)i * (size_t)r->n_prompts + (size_t)p;
      bool finished = r->status[cell] == LES_CELL_DONE || r->status[cell] == LES_CELL_FAILED;
      c->lost[cell] =
          measured && finished && (r->status[cell] == LES_CELL_FAILED || !isfinite(c->values[cell]));
      if (!measured || !finished)
        c->values[cell] = NAN;
      else if (c->lost[cell])
        c->values[cell] = worst;
    }
  }
}

les_status les_cells_read(les_cells *out, const les_result *r, int field) {
  les_status s;
  *out = (les_cells){.field = &les_fields[field], .n_prompts = r->n_prompts};
  LES_GOTO(s, les_result_field(r, out->field->name, &out->values), end);
  if (out->field->baseline) LES_GOTO(s, les_result_baseline(r, out->field->name, &out->intact), end);
  out->lost = calloc((size_t)r->n_lesions * (size_t)r->n_prompts + 1, sizeof *out->lost);
  if (!out->lost) LES_GOTO(s, les_no_memory("the cells of %s", r->path), end);
  replace_lost(out, r);
  fold_samples(out, r);
end:
  if (s != LES_OK) les_cells_free(out);
  return s;
}

void les_cells_free(les_cells *c) {
  free(c->values);
  free(c->lost);
  free(c->intact);
  *c = (les_cells){0};
}

/* What a model that does not differ from the intact one has, where the measure compares the two; NaN: that is
 * not one number. */
static double undamaged(const les_field *f) {
  double best = f->damage > 0 ? f->range.low : f->range.high;
  return isfinite(best) ? best : f->damage > 0 ? 0 : NAN;
}

double les_cells_damage(const les_cells *c, int lesion, int prompt) {
  double value = c->values[(size_t)lesion * (size_t)c->n_prompts + (size_t)prompt];
  return c->field->damage * (value - (c->intact ? c->intact[prompt] : undamaged(c->field)));
}

les_range les_cells_damage_range(const les_cells *c) {
  double width = c->field->range.high - c->field->range.low;
  if (c->intact) return (les_range){-width, width};
  if (isinf(c->field->range.low)) return c->field->range;
  return (les_range){0, width};
}
