// Keeps what is large for all components of the page: the nets and the codes of one model, sent once.

const STORE = (window.vaeExplorer ??= { models: new Map(), waiting: new Set() });

// Calls back with the model of that key, at once or when it has come.
function whenModel(key, then) {
  if (STORE.models.has(key)) return then(STORE.models.get(key));
  const wait = (model) => {
    if (model.key !== key) return;
    STORE.waiting.delete(wait);
    then(model);
  };
  STORE.waiting.add(wait);
}

const column = (table) => table.getChildAt(0).toArray();
