import { whenModel } from "./store.js";

// A component about one model: `begin` when the model has come, anew for another model or language, else `adopt`.
export class Follower {
  constructor(root) {
    this.root = root;
    this.count = 0; // the last report, so that an answer to an older one is known as such
  }

  told(data, report) {
    this.report = report;
    const first = this.data?.model !== data.model || wordsOf(this.data) !== wordsOf(data);
    this.data = data;
    if (first) {
      this.model = null;
      whenModel(data.model, (model) => {
        if (model.key === this.data.model) this.begin(model);
      });
    } else if (this.model) this.adopt();
  }

  begin(model) {
    this.model = model;
    this.build();
    this.adopt();
  }

  reportPlace() {
    this.report("chosen", { n: this.count, row: null, z: [...this.z].map((v) => +v.toFixed(4)) });
  }
}

// All the words of a component: what is built with them is built anew when the language changes.
export const wordsOf = (data) => JSON.stringify([data?.words, data?.classes]);
