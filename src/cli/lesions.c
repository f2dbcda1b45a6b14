#include "cli/lesions.h"

#include "data/corpus.h"
#include "engine/calibrate.h"

#include <stdio.h>

static error_t parse(int key, char *arg, struct argp_state *state) {
  cli_lesions *l = state->input;
  switch (key) {
  case CLI_LESION:
    cli_list_add(&l->specs, arg);
    return 0;
  case CLI_CALIBRATION:
    l->calibration = arg;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"lesion", CLI_LESION, "SPEC", 0,
     "Under this lesion too, e.g. skip@3 or skip@each.attn; none:seed=S is the intact model sampled with "
     "another seed; several times",
     3},
    {"calibration", CLI_CALIBRATION, "FILE", 0,
     "Text over which mean lesions take their means: a text file, a .jsonl, .csv or .tsv, a folder of such "
     "files, or a "
     ".json that mixes them",
     3},
    {0}};
const struct argp cli_lesions_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

static les_status calibrate(cli_lesions *l, const les_model *model, const cli_model_options *o) {
  les_corpus corpus;
  LES_TRY(les_model_need_tokenizer(model));
  LES_TRY(les_corpus_read(&corpus, l->calibration, model->tokenizer, 0));
  les_status status = les_means_compute(&l->means, model, corpus.passages, corpus.n, (les_compute)o->compute,
                                        cli_threads(o->threads));
  les_corpus_free(&corpus);
  return status;
}

les_status cli_lesions_resolve(cli_lesions *l, const les_model *model, const cli_model_options *o) {
  LES_TRY(les_lesions_parse(&l->lesions, (const char *const *)l->specs.items, l->specs.n, &model->hparams));
  const les_lesion *needy = les_lesions_need_means(&l->lesions);
  if (!needy) return LES_OK;
  if (!l->calibration)
    return les_fail(LES_USAGE, "lesion '%s' needs a text: give its file with --calibration", needy->spec);
  return calibrate(l, model, o);
}

void cli_lesions_free(cli_lesions *l) {
  les_means_free(&l->means);
  les_lesions_free(&l->lesions);
  cli_list_free(&l->specs);
}
