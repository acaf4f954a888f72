// The map as a separate file, which contains all data that a page gets from the server; choices are not reported.

import { default as keep } from "./keep.js";
import { default as showMap } from "./map.js";

const KINDS = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array };

// Arrays are stored in the file as {kind, base64}.
function array({ kind, base64 }) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return new KINDS[kind](bytes.buffer);
}

const text = document.querySelector("#data")?.textContent ?? "";
const { model, map } = JSON.parse(text, (_name, value) => (value?.base64 === undefined ? value : array(value)));
const parentElement = document.querySelector("main");
const show = () => showMap({ data: map, parentElement, setStateValue() {} });
keep({ data: model, parentElement });
show();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show); // a canvas keeps its colours
