// What components about one model have in common.

import { whenModel } from "./store.js";

/** @import { Model } from "./store.js" */

// A component about one model: `begin` when the model has come, anew for another model or language, else `adopt`.
export class Follower {
  /** @type {any} */
  data;
  /** @type {Model} */
  model;
  /** @type {(name: string, value: object) => void} */
  report;
  /** @type {Float32Array} */
  z;

  /** @param {any} root - an element that keeps its component, and for tests what is in it */
  constructor(root) {
    this.root = root;
    this.ready = false; // while the model is on the way
    this.count = 0; // the last report, so that an answer to an older one is known as such
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

  // Makes what is seen.
  build() {}

  // Takes over what Python has sent.
  adopt() {}

  /** @param {Model} model */
  begin(model) {
    this.model = model;
    this.ready = true;
    this.build();
    this.adopt();
  }

  // Takes over the z of Python, and says so, unless it is an answer to an older report than the last.
  news() {
    if (this.data.n < this.count) return false;
    this.count = this.data.n;
    this.z = Float32Array.from(this.data.z);
    return true;
  }

  // z with another value along one dimension; whoever holds the old one keeps it.
  movedAlong(j, value) {
    const z = this.z.slice();
    z[j] = value;
    return z;
  }

  // To be called before something is reported: a time, so that nothing is reported twice.
  stamp() {
    this.count = Math.max(Date.now(), this.count + 1);
  }

  reportPlace() {
    this.report("chosen", { n: this.count, row: null, z: [...this.z].map((v) => +v.toFixed(4)) });
  }
}

// All the words of a component: what is built with them is built anew when the language changes.
export const wordsOf = (data) => JSON.stringify([data?.words, data?.classes]);
