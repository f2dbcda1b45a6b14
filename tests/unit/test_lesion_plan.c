/* Plans: what each operation makes of a small model's matrices, norms, biases and contributions. */
#include "lesion/lesion_plan.h"
#include "tiny_model.h"
#include "unit.h"

enum { LAYERS = 3, EMBD = 64, FF = 96, HEADS = 4, KV = 2, DIM = 16 };

/* A model of random numbers, with biases and norms wherever a layer may have them. */
typedef struct world {
  tiny_model tiny;
  const les_model *model;
  float bias[EMBD], scale[EMBD];
} world;

static int open_world(void **state) {
  world *w = calloc(1, sizeof *w);
  tiny_model_make_sized(&w->tiny, (tiny_sizes){.embd = EMBD, .ff = FF, .head_dim = DIM});
  w->model = &w->tiny.model;
  w->tiny.model.hparams.init_scaled_out = true;
  for (int l = 0; l < LAYERS; l++) {
    les_layer *layer = &w->tiny.model.layers[l];
    for (int id = 0; id < LES_N_LINEAR; id++) layer->linear[id].bias = w->bias;
    for (int id = 0; id < LES_N_NORM; id++) layer->norm[id] = (les_norm){w->scale, w->bias};
  }
  *state = w;
  return 0;
}

static int close_world(void **state) {
  world *w = *state;
  tiny_model_free(&w->tiny);
  free(w);
  return 0;
}

static les_lesion_plan *plan_with(const world *w, const char *spec, const les_means *means, int threads) {
  les_lesions lesions;
  les_lesion_plan *plan;
  assert_int_equal(les_lesions_parse(&lesions, &spec, 1, &w->model->hparams), LES_OK);
  assert_int_equal(les_lesion_plan_open(&plan, w->model, &lesions.items[0], means, threads), LES_OK);
  assert_int_equal(plan->bytes, les_lesion_plan_bytes(w->model, &lesions.items[0]));
  les_lesions_free(&lesions);
  return plan;
}

static les_lesion_plan *plan_of(const world *w, const char *spec, const les_means *means) {
  return plan_with(w, spec, means, 2);
}

static const float *values(const les_lesion_plan *p, int layer, les_linear_id id) {
  assert_int_equal(p->layers[layer]->layer.linear[id].w.type, LES_F32);
  return p->layers[layer]->layer.linear[id].w.data;
}

static const float *original(const world *w, int layer, les_linear_id id) {
  return w->model->layers[layer].linear[id].w.data;
}

static double mean_square(const float *a, const float *b, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += pow((double)a[i] - (b ? (double)b[i] : 0), 2);
  return sum / n;
}

static double mean_of(const float *a, const float *b, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += (double)a[i] - (b ? (double)b[i] : 0);
  return sum / n;
}

static void test_contributions_compose(void **state) {
  world *w = *state;
  float block[LAYERS * EMBD] = {0}, heads[LAYERS * HEADS * DIM] = {0};
  les_means means = {.n_layers = LAYERS, .block = block, .attn = block, .mlp = block, .heads = heads};
  les_lesion_plan *p = plan_of(w,
                               "skip@1+scale@1:alpha=3+scale@2.mlp:alpha=2+scale@2.mlp:alpha=-.5+mean@2.attn+"
                               "scale@2.attn:alpha=4+mean@2.attn.head3+skip@2.attn.head0",
                               &means);
  assert_int_equal(p->first_layer, 1);
  assert_int_equal(p->bytes, 0);
  assert_null(p->layers[0]);
  assert_true(p->layers[1]->block.a == 0 && p->layers[1]->block.b == 0);
  const les_layer_plan *two = p->layers[2];
  assert_true(two->block.a == 1 && two->block.b == 0);
  assert_true(two->mlp.a == -1 && two->mlp.b == 0);
  assert_true(two->attn.a == 0 && two->attn.b == 4 && two->attn.mean == block + 2 * EMBD);
  assert_true(two->heads[0].a == 0 && two->heads[0].b == 0 && two->heads[1].a == 1);
  assert_true(two->heads[3].b == 1 && two->heads[3].mean == heads + (2 * HEADS + 3) * DIM);
  for (int id = 0; id < LES_N_LINEAR; id++)
    assert_ptr_equal(two->layer.linear[id].w.data, original(w, 2, id));
  les_lesion_plan_close(&p);
  assert_null(p);
}

static void test_mean_needs_a_calibration(void **state) {
  world *w = *state;
  const char *spec = "mean@0";
  les_lesions lesions;
  les_lesion_plan *plan;
  assert_int_equal(les_lesions_parse(&lesions, &spec, 1, &w->model->hparams), LES_OK);
  assert_int_equal(les_lesion_plan_open(&plan, w->model, &lesions.items[0], NULL, 1), LES_FAILED);
  assert_null(plan);
  assert_message("calibration");
  les_lesions_free(&lesions);
}

static void test_only_the_part_is_replaced(void **state) {
  world *w = *state;
  les_lesion_plan *p = plan_of(w, "zero@0.attn+reinit@1.mlp+zero@2.attn.q", NULL);
  for (int l = 0; l < LAYERS; l++)
    for (int id = 0; id < LES_N_LINEAR; id++) {
      bool replaced = l == 0 ? id <= LES_O : l == 1 ? id > LES_O : id == LES_Q;
      const les_linear *now = &p->layers[l]->layer.linear[id];
      assert_true((now->w.data != original(w, l, id)) == replaced);
      assert_true((now->bias == NULL) == replaced);
    }
  for (int id = 0; id < LES_N_NORM; id++) {
    const les_norm *zeroed = &p->layers[0]->layer.norm[id], *fresh = &p->layers[1]->layer.norm[id];
    if (id == LES_NORM_ATTN || id == LES_NORM_Q || id == LES_NORM_K)
      assert_true(zeroed->scale[0] == 0 && zeroed->scale[DIM - 1] == 0 && zeroed->bias == NULL);
    else
      assert_true(zeroed->scale == w->scale && zeroed->bias == w->bias);
    if (id == LES_NORM_MLP || id == LES_NORM_MLP_POST)
      assert_true(fresh->scale[0] == 1 && fresh->scale[EMBD - 1] == 1 && fresh->bias == NULL);
    else
      assert_true(fresh->scale == w->scale && fresh->bias == w->bias);
    assert_ptr_equal(p->layers[2]->layer.norm[id].scale, w->scale);
  }
  les_lesion_plan_close(&p);
}

static void test_zero_holds_no_memory_and_stays_zero(void **state) {
  world *w = *state;
  les_lesion_plan *p = plan_of(w, "zero@*+noise@*:sigma=1+svd@*:rank=2+quant@*:type=q8_0", NULL);
  assert_int_equal(p->bytes, 0);
  for (int l = 0; l < LAYERS; l++)
    for (int id = 0; id < LES_N_LINEAR; id++)
      assert_true(mean_square(values(p, l, id), NULL, EMBD * DIM) == 0);
  les_lesion_plan_close(&p);
}

static void test_bytes_are_those_of_the_dense_copies(void **state) {
  world *w = *state;
  les_lesion_plan *p = plan_of(w, "noise@0.mlp:sigma=1+quant@0.mlp.up:type=q4_0+svd@2.attn.k:rank=3", NULL);
  assert_int_equal(p->bytes, (3 * FF * EMBD + KV * DIM * EMBD) * 4);
  les_lesion_plan_close(&p);
}

static void test_what_changes_nothing_stays_the_models_own(void **state) {
  world *w = *state;
  les_lesion_plan *p = plan_of(w, "svd@1:keep=1+svd@1.attn.k:rank=32+noise@1.mlp:sigma=0", NULL);
  assert_int_equal(p->bytes, 0);
  for (int id = 0; id < LES_N_LINEAR; id++)
    assert_ptr_equal(p->layers[1]->layer.linear[id].w.data, original(w, 1, id));
  les_lesion_plan_close(&p);
}

static void test_moments_of_reinit(void **state) {
  world *w = *state;
  les_lesion_plan *p = plan_of(w, "reinit@1:seed=5", NULL);
  for (int id = 0; id < LES_N_LINEAR; id++) {
    const les_matrix *m = &p->layers[1]->layer.linear[id].w;
    int n = (int)(m->rows * m->cols);
    double deviation = id == LES_O || id == LES_DOWN ? 0.02 / sqrt(2.0 * LAYERS) : 0.02;
    assert_near(mean_of(m->data, NULL, n), 0, 4 * deviation / sqrt(n));
    assert_near(mean_square(m->data, NULL, n) / (deviation * deviation), 1, 4 * sqrt(2.0 / n));
  }
  les_lesion_plan_close(&p);
}

static void test_moments_of_noise(void **state) {
  world *w = *state;
  les_lesion_plan *p = plan_of(w, "noise@1:sigma=0.5", NULL);
  for (int id = 0; id < LES_N_LINEAR; id++) {
    const les_matrix *m = &p->layers[1]->layer.linear[id].w;
    int n = (int)(m->rows * m->cols);
    double deviation = 0.5 * sqrt(mean_square(original(w, 1, id), NULL, n));
    assert_near(mean_of(m->data, original(w, 1, id), n), 0, 4 * deviation / sqrt(n));
    assert_near(mean_square(m->data, original(w, 1, id), n) / (deviation * deviation), 1, 4 * sqrt(2.0 / n));
  }
  les_lesion_plan_close(&p);
}

/* Random numbers: the same for any number of threads and any lesion around them, others for another seed,
 * layer or matrix. */
static void test_random_numbers_are_keyed(void **state) {
  world *w = *state;
  const int n = FF * EMBD;
  les_lesion_plan *one = plan_with(w, "reinit@1:seed=5", NULL, 1);
  les_lesion_plan *three = plan_with(w, "reinit@0-1.mlp:seed=5", NULL, 3);
  les_lesion_plan *other = plan_of(w, "reinit@1.mlp:seed=6", NULL);
  assert_memory_equal(values(one, 1, LES_UP), values(three, 1, LES_UP), (size_t)n * 4);
  const float *same = values(one, 1, LES_UP),
              *others[] = {values(one, 1, LES_GATE), values(three, 0, LES_UP), values(other, 1, LES_UP)};
  for (int i = 0; i < 3; i++) assert_near(mean_square(same, others[i], n) / (2 * 0.02 * 0.02), 1, 0.1);
  les_lesion_plan_close(&one);
  les_lesion_plan_close(&three);
  les_lesion_plan_close(&other);
}

static void test_heads_are_columns_of_the_output_matrix(void **state) {
  world *w = *state;
  les_lesion_plan *p = plan_of(w, "zero@0.attn.head1+reinit@0.attn.head2:seed=3", NULL);
  les_lesion_plan *whole = plan_of(w, "reinit@0.attn.o:seed=3", NULL);
  const float *o = values(p, 0, LES_O), *fresh = values(whole, 0, LES_O);
  for (int r = 0; r < EMBD; r++)
    for (int c = 0; c < HEADS * DIM; c++) {
      int e = r * HEADS * DIM + c, head = c / DIM;
      float want = head == 1 ? 0 : head == 2 ? fresh[e] : original(w, 0, LES_O)[e];
      assert_true(o[e] == want);
    }
  assert_ptr_equal(p->layers[0]->layer.linear[LES_O].bias, w->bias);
  les_lesion_plan_close(&p);
  les_lesion_plan_close(&whole);
}

static void test_edits_on_one_matrix_go_left_to_right(void **state) {
  world *w = *state;
  const int n = FF * EMBD;
  les_lesion_plan *p = plan_of(w, "reinit@0.mlp.up:seed=1+zero@0.mlp.up+reinit@0.mlp.up:seed=2", NULL);
  les_lesion_plan *last = plan_of(w, "reinit@0.mlp.up:seed=2", NULL);
  assert_memory_equal(values(p, 0, LES_UP), values(last, 0, LES_UP), (size_t)n * 4);
  les_lesion_plan_close(&p);
  les_lesion_plan_close(&last);

  les_lesion_plan *rounded = plan_of(w, "noise@0.mlp.up:sigma=1+quant@0.mlp.up:type=q4_0", NULL);
  les_lesion_plan *noisy = plan_of(w, "noise@0.mlp.up:sigma=1", NULL);
  float *want = malloc((size_t)n * sizeof *want);
  void *packed = malloc((size_t)n * sizeof *want);
  assert_true(les_quantize(LES_Q4_0, values(noisy, 0, LES_UP), n, packed));
  les_dequantize(LES_Q4_0, packed, n, want);
  assert_memory_equal(values(rounded, 0, LES_UP), want, (size_t)n * 4);
  free(want);
  free(packed);
  les_lesion_plan_close(&rounded);
  les_lesion_plan_close(&noisy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_contributions_compose),
      cmocka_unit_test(test_mean_needs_a_calibration),
      cmocka_unit_test(test_only_the_part_is_replaced),
      cmocka_unit_test(test_zero_holds_no_memory_and_stays_zero),
      cmocka_unit_test(test_bytes_are_those_of_the_dense_copies),
      cmocka_unit_test(test_what_changes_nothing_stays_the_models_own),
      cmocka_unit_test(test_moments_of_reinit),
      cmocka_unit_test(test_moments_of_noise),
      cmocka_unit_test(test_random_numbers_are_keyed),
      cmocka_unit_test(test_heads_are_columns_of_the_output_matrix),
      cmocka_unit_test(test_edits_on_one_matrix_go_left_to_right),
  };
  return cmocka_run_group_tests(tests, open_world, close_world);
}
