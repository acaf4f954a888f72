// The base class of components about one model.

import { whenModel } from "./store.js";

/** @import { Model } from "./store.js" */

// Calls `begin` when a model has arrived, also for another model or language, and otherwise `adopt`.
export class Follower {
  /** @type {any} */
  data;
  /** @type {Model} */
  model;
  /** @type {(name: string, value: object) => void} */
  report;
  /** @type {Float32Array} */
  z;

  /** @param {any} root - an element that keeps its component, and for tests its contents */
  constructor(root) {
    this.root = root;
    this.ready = false; // while the model is loading
    this.count = 0; // number of the last report, to recognise answers to older ones
  }

  told(data, report) {
    this.report = report;
    const first = this.data?.model !== data.model || wordsOf(this.data) !== wordsOf(data);
    this.data = data;
    if (first) {
      this.ready = false;
      whenModel(data.model, (model) => {
        if (model.key === this.data.model) this.begin(model);
      });
    } else if (this.ready) this.adopt();
  }

  // Builds the visible elements.
  build() {}

  // Applies the data sent by Python.
  adopt() {}

  /** @param {Model} model */
  begin(model) {
    this.model = model;
    this.ready = true;
    this.build();
    this.adopt();
  }

  // Applies the z sent by Python and returns true, unless it answers an older report than the last.
  news() {
    if (this.data.n < this.count) return false;
    this.count = this.data.n;
    this.z = Float32Array.from(this.data.z);
    return true;
  }

  // Sets one dimension of z, in a copy so that references to the old z stay valid.
  movedAlong(j, value) {
    const z = this.z.slice();
    z[j] = value;
    return z;
  }

  // Call it before a report: returns a time, so that no two reports are equal.
  stamp() {
    this.count = Math.max(Date.now(), this.count + 1);
  }

  reportPlace() {
    this.report("chosen", { n: this.count, row: null, z: [...this.z].map((v) => +v.toFixed(4)) });
  }
}

// All texts of a component; elements are rebuilt when the language changes.
export const wordsOf = (data) => JSON.stringify([data?.words, data?.classes]);
