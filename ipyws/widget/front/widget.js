/* ---- The widget ------------------------------------------------------------------------------------------ */

export default () => {
  /** @type {Store} */
  let store;
  return {
    /** @param {{ model: Model }} widget */
    initialize({ model }) {
      store = new Store(model);
      return () => store.dispose();
    },
    /** @param {{ model: Model, el: Element }} widget */
    render({ model, el }) {
      const panel = new Panel(store, model, el);
      return () => panel.dispose();
    },
  };
};
