/* The keys and values of one sequence, layer by layer, and what it shares with the intact run of the same
 * prompt. */
#ifndef LES_ENGINE_KV_CACHE_H
#define LES_ENGINE_KV_CACHE_H

#include "lesion/lesion_plan.h"
#include "model/model.h"

typedef struct les_kv_cache les_kv_cache;

/* A sequence for at most `capacity` positions under `plan` (NULL: intact). `parent` (may be NULL) is an
 * intact sequence that outlives this one; none of its positions is shared until les_kv_cache_share. Keys and
 * values of a layer are allocated when the layer is first run. */
les_status les_kv_cache_open(les_kv_cache **out, const les_model *model, const les_lesion_plan *plan,
                             const les_kv_cache *parent, int capacity);
void les_kv_cache_close(les_kv_cache **seq);

/* From now on the positions below n are the parent's at layers below `layer`: they hold the same tokens, and
 * nothing below `layer` differs from the intact model. Nothing may have been run there by this sequence yet.
 */
void les_kv_cache_share(les_kv_cache *seq, int layer, int n);

/* Bytes of keys and values of `capacity` positions at layers from first_layer on. */
size_t les_kv_cache_bytes(const les_model *model, int capacity, int first_layer);

/* What the layer is to this sequence; NULL: the model's own. */
const les_layer_plan *les_kv_cache_plan(const les_kv_cache *seq, int layer);

/* Makes room at `layer`; before any of its rows is stored. Not thread-safe for one sequence. */
les_status les_kv_cache_reserve(les_kv_cache *seq, int layer);

/* Where the keys and values of a position of this sequence's own go: (n_kv_heads * head_dim) each. */
float *les_kv_cache_key(const les_kv_cache *seq, int layer, int pos);
float *les_kv_cache_value(const les_kv_cache *seq, int layer, int pos);

/* The cached positions from..to-1 at `layer`, of key-value head `head`, as at most two runs; returns their
 * number. */
int les_kv_cache_spans(const les_kv_cache *seq, int layer, int head, int from, int to, les_kv_span runs[2]);

#endif
