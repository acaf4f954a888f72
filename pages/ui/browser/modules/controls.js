// Buttons, and groups of buttons with one selection.

import { element } from "./dom.js";

export const button = (text, act, attributes = {}) =>
  element("button", { type: "button", text, onclick: act, ...attributes });

// A choice among several [value, text]; calls chosen(value) on a change.
export function choice(label, options, now, chosen) {
  const group = element("div", { class: "choice", role: "group", "aria-label": label });
  for (const [value, text] of options) {
    const press = (event) => {
      for (const each of group.children) each.setAttribute("aria-pressed", String(each === event.currentTarget));
      chosen(value);
    };
    group.append(button(text, press, { "aria-pressed": String(value === now) }));
  }
  return group;
}

const LONG = 500; // milliseconds of a long press

// The class labels: a click hides a class; a double click, Shift+Enter or a long press of a finger shows only that one;
// calls changed(hidden).
export function legend({ classes, colours }, words, changed) {
  const hidden = new Set();
  let before = new Set(); // of the first click of two, which are one act
  const group = element("div", { class: "legend", role: "group", "aria-label": words.classes });
  const toggle = (label, clicks) => {
    if (clicks < 2) before = new Set(hidden);
    if (clicks === 2) {
      const alone = before.size === classes.length - 1 && !before.has(label);
      hidden.clear();
      if (!alone) classes.forEach((_, other) => other !== label && hidden.add(other));
    } else if (clicks < 2 && !hidden.delete(label)) hidden.add(label);
    [...group.children].forEach((each, other) => each.setAttribute("aria-pressed", String(!hidden.has(other))));
    changed(hidden);
  };
  const isolate = (label) => {
    before = new Set(hidden);
    toggle(label, 2);
  };
  classes.forEach((name, label) => {
    let [timer, pressed] = [0, false]; // whether a long press has acted already
    const release = () => clearTimeout(timer);
    const press = (event) => {
      pressed = false;
      if (event.pointerType === "mouse") return;
      timer = setTimeout(() => {
        pressed = true;
        isolate(label);
      }, LONG);
    };
    const sample = element("i", { style: `background:${colours[label % colours.length]}` });
    const attributes = {
      type: "button",
      "aria-pressed": "true",
      title: words.hide,
      "aria-keyshortcuts": "Shift+Enter",
      onclick: (event) => {
        if (!pressed) toggle(label, event.detail);
        pressed = false;
      },
      onkeydown: (event) => {
        if (event.key !== "Enter" || !event.shiftKey) return;
        event.preventDefault(); // of a click
        if (!event.repeat) isolate(label);
      },
      onpointerdown: press,
      onpointerup: release,
      onpointerleave: release,
      onpointercancel: release,
    };
    group.append(element("button", attributes, sample, element("span", { text: name, title: name })));
  });
  return group;
}

// A scale of colours from low to high.
export const scale = (colours, text) =>
  element(
    "div",
    { class: "scale" },
    element("i", { style: `background:linear-gradient(to right, ${colours.join(", ")})` }),
    element("span", { text }),
  );
