#include "sensitivity/mode.h"

#include "measure/degeneration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const les_mode modes[] = {
    {"divergence", NULL, 0},
    {"likelihood", "delta_nll", 0},
    {"accuracy", "acc", 0},
    {"repetition", "loop_length", 0},
    {"gibberish", "label", LES_LABEL_GIBBERISH},
    {"empty", "label", LES_LABEL_EMPTY},
    {"nan", "label", LES_LABEL_NAN},
};

const les_mode *les_mode_at(int i) {
  return i < (int)(sizeof modes / sizeof *modes) ? &modes[i] : NULL;
}

static bool is_loop_mode(const char *measure) {
  return !strcmp(measure, "loop_length");
}

/* Turns one value of the field into damage, before the intact run's is subtracted; NaN where nothing was
 * computed. */
static double damage_of(const les_mode *mode, const char *measure, double value) {
  if (mode->label) return value == LES_LABEL_NONE ? NAN : value == mode->label;
  if (is_loop_mode(measure)) return isnan(value) ? NAN : value > 0;
  return les_fields[les_field_find(measure)].damage * value;
}

/* Where the intact run has a value of the field, damage is the excess over it. */
static les_status subtract_intact(const les_mode *mode, const char *measure, const les_result *r,
                                  double *values) {
  double *intact;
  if (!les_fields[les_field_find(measure)].baseline) return LES_OK;
  LES_TRY(les_result_baseline(r, measure, &intact));
  for (int i = 0; i < r->n_lesions; i++)
    for (int p = 0; p < r->n_prompts; p++)
      values[(size_t)i * (size_t)r->n_prompts + (size_t)p] -= damage_of(mode, measure, intact[p]);
  free(intact);
  return LES_OK;
}

/* True if the cell says something about the mode, were it only that the lesion has broken the model. */
static bool is_finished(const les_mode *mode, uint8_t status) {
  return status == LES_CELL_DONE || (status == LES_CELL_FAILED && !mode->label);
}

/* Lost cells get the worst finite damage, on prompts that have a finite one at all. */
static void fill_lost(const les_mode *mode, const les_result *r, double *values) {
  double worst = -INFINITY;
  size_t n = (size_t)r->n_lesions * (size_t)r->n_prompts;
  for (size_t i = 0; i < n; i++) {
    if (r->status[i] != LES_CELL_DONE) values[i] = NAN;
    if (isfinite(values[i])) worst = fmax(worst, values[i]);
  }
  for (int p = 0; p < r->n_prompts; p++) {
    bool measured = false;
    for (size_t i = (size_t)p; i < n; i += (size_t)r->n_prompts) measured = measured || isfinite(values[i]);
    for (size_t i = (size_t)p; i < n; i += (size_t)r->n_prompts)
      if (!isfinite(values[i])) values[i] = measured && is_finished(mode, r->status[i]) ? worst : NAN;
  }
}

les_range les_mode_range(const les_mode *mode, const char *measure) {
  const les_field *f = &les_fields[les_field_find(measure)];
  les_range range = mode->label || is_loop_mode(measure) ? (les_range){0, 1} : f->range;
  double width = range.high - range.low;
  if (f->baseline && !mode->label) return (les_range){-width, width};
  return range;
}

les_status les_mode_read(const les_mode *mode, const char *measure, const les_result *r, double **values) {
  LES_TRY(les_result_field(r, measure, values));
  size_t n = (size_t)r->n_lesions * (size_t)r->n_prompts;
  for (size_t i = 0; i < n; i++) (*values)[i] = damage_of(mode, measure, (*values)[i]);
  les_status s = subtract_intact(mode, measure, r, *values);
  if (s == LES_OK)
    fill_lost(mode, r, *values);
  else {
    free(*values);
    *values = NULL;
  }
  return s;
}
