// Gestures and keys on a plane: pan, zoom, pinch, hover, pick, and nudge with the arrow keys.

export function listen(plane) {
  const { stage, on } = plane;
  const pointers = new Map();
  const at = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const tell = (px, py) => {
    const [a, b] = plane.place(px, py);
    return { a, b, row: plane.nearest(px, py) };
  };
  stage.addEventListener("pointerdown", (event) => {
    if (!plane.view || event.button) return;
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { from: at(event), now: at(event), moved: false });
    if (event.pointerType === "touch") on.hover(tell(...at(event)));
  });
  stage.addEventListener("pointermove", (event) => {
    if (!plane.view) return;
    if (event.pointerType === "mouse" && !event.buttons) pointers.delete(event.pointerId);
    const pointer = pointers.get(event.pointerId);
    const [px, py] = at(event);
    if (!pointer) return on.hover(tell(px, py));
    const [ox, oy] = pointer.now;
    pointer.now = [px, py];
    if (Math.hypot(px - pointer.from[0], py - pointer.from[1]) > 4) pointer.moved = true;
    if (pointers.size === 2) {
      const other = [...pointers.values()].find((p) => p !== pointer).now;
      const before = Math.hypot(ox - other[0], oy - other[1]);
      const after = Math.hypot(px - other[0], py - other[1]);
      pointers.forEach((p) => (p.moved = true));
      plane.pan((px - ox) / 2, (py - oy) / 2);
      if (before > 0) plane.zoom(after / before, (px + other[0]) / 2, (py + other[1]) / 2);
    } else if (event.pointerType === "touch") on.hover(tell(px, py));
    else if (pointer.moved) plane.pan(px - ox, py - oy);
  });
  const release = (event) => {
    const pointer = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    if (!pointer || !plane.view) return;
    if (event.type === "pointerup" && !pointer.moved) on.pick(tell(...at(event)));
    if (event.pointerType === "touch") on.hover(null);
  };
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("pointerleave", () => on.hover(null));
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!plane.view) return;
      event.preventDefault();
      const finger = event.ctrlKey ? 8 : 1; // a trackpad pinch arrives as a small wheel event
      plane.zoom(Math.exp(-event.deltaY * finger * (event.deltaMode ? 0.05 : 0.0015)), ...at(event));
    },
    { passive: false },
  );
  stage.addEventListener("keydown", (event) => {
    if (!plane.view || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const step = (event.shiftKey ? 2 : 12) / plane.view.scale;
    if (arrow) on.nudge(arrow[0] * step, arrow[1] * step);
    else if (event.key === "+" || event.key === "=") plane.zoom(1.3);
    else if (event.key === "-" || event.key === "_") plane.zoom(1 / 1.3);
    else if (event.key === "0" || event.key === "Home") plane.fit();
    else return;
    event.preventDefault();
  });
}
