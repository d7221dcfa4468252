/* ---- The chart by itself --------------------------------------------------------------------------------- */

const HELLO_AGAIN = 4000; // ms without an answer

export default () => {
  /** @type {Curves} */
  let curves;
  return {
    /** @param {{ model: Model }} widget */
    initialize({ model }) {
      curves = new Curves(() => Number(model.get("height")) || 240);
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let timer;
      const take = (/** @type {any} */ message) => { if (message.type === "curves") curves.receive(message); };
      const hello = () => {
        try { model.send({ type: "hello" }); } catch { return; }
        timer = setTimeout(() => curves.state === "waiting" && hello(), HELLO_AGAIN);
      };
      model.on("msg:custom", take);
      hello();
      return () => {
        clearTimeout(timer);
        model.off("msg:custom", take);
      };
    },
    /** @param {{ model: Model, el: Element }} widget */
    render({ model, el }) {
      const picture = new Picture(curves, el);
      const redraw = () => picture.redraw();
      model.on("change:height", redraw);
      return () => {
        model.off("change:height", redraw);
        picture.dispose();
      };
    },
  };
};
