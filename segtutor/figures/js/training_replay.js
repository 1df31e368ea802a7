// <seg-training-replay>: a training, epoch by epoch: its curves, and what it said of a few pictures.

const ZOOM = 3; // label maps are drawn this many times finer, so that outlines stay thin
const PACE = 500; // milliseconds an epoch while it plays
const [WIDE, NARROW, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [340, 350, 210, 34, 26, 12, 34];

class TrainingReplay extends SegFigure {
  css = `
    .play { flex-wrap: nowrap; gap: 6px; } .play input { margin-left: 8px; }
    .charts { display: grid; grid-template-columns: 1fr 1fr; gap: 10px 16px; }
    .charts svg { cursor: pointer; touch-action: pan-y; } .charts text { font-size: 12px; } .charts .title { font-size: 13px; }
    .axis, .now { stroke: var(--line); fill: none; } .now { stroke: currentColor; stroke-dasharray: 2 3; }
    .curve { fill: none; stroke: var(--accent); stroke-width: 2.5; stroke-linejoin: round; } .curve.train { stroke: var(--warm); stroke-dasharray: 6 4; }
    .curve.one { stroke: currentColor; stroke-width: 1; opacity: .4; } .curve.chosen { stroke: var(--warm); stroke-width: 2.5; opacity: 1; }
    .dot { fill: var(--accent); } .dot.train, .dot.chosen { fill: var(--warm); }
    .right { text-anchor: end !important; } .left { text-anchor: start !important; } .soft { opacity: .65; } .chosen-name { font-weight: 700; }
    .scenes { display: grid; grid-template-columns: repeat(3, 1fr); gap: 6px; }
    .scenes > * { min-width: 0; } .scenes .label { text-align: center; }
    .scenes img, .scenes canvas { display: block; width: 100%; height: auto; border-radius: 5px; }
    .scenes img { image-rendering: auto; }
    .legend { display: flex; flex-wrap: wrap; gap: 6px; } .legend button { font-size: .8125rem; padding: 0 9px; }
    .legend button[aria-pressed="true"] { border: 2px solid var(--warm); padding: 0 8px; }
    .legend b { font-weight: 600; margin-left: .35em; }
    .chip { display: inline-block; width: 1em; height: 1em; border-radius: 3px; border: 1px solid var(--line); vertical-align: -0.12em; margin-right: .45em; }
    .errors { display: inline-flex; align-items: center; gap: 8px; min-height: 36px; cursor: pointer; } .errors input { width: 36px; height: 36px; margin: 0; padding: 0; accent-color: var(--accent); transform: scale(.6); }
    @container (max-width: 560px) { .charts { grid-template-columns: 1fr; } }`;

  frame() {
    const { epochs, scenes } = this.given;
    const maps = scenes.map((_, i) => `<img class="photo" alt="picture ${i + 1}">
      <canvas class="said" role="img" aria-label="prediction for picture ${i + 1}"></canvas>
      <canvas class="true" role="img" aria-label="label map of picture ${i + 1}"></canvas>`).join("");
    return `
      <div class="bar play">
        <button class="icon first" aria-label="first epoch">${icon("first")}</button>
        <button class="icon back" aria-label="epoch before">${icon("back")}</button>
        <button class="icon main toggle" aria-label="play">${icon("play")}</button>
        <button class="icon next" aria-label="next epoch">${icon("next")}</button>
        <input type="range" class="scrub" min="1" max="${epochs}" step="1" aria-label="epoch">
      </div>
      <div class="read" aria-live="polite"></div>
      <div class="charts"><svg class="losses" role="img" aria-label="Loss against the epoch. The numbers are in the line above."></svg>
        <svg class="ious" role="img" aria-label="IoU against the epoch, its mean and one line a class. The numbers are in the buttons below."></svg></div>
      <div class="scenes"><span class="label">picture</span><span class="label">prediction</span><span class="label">label map</span>${maps}</div>
      <label class="errors"><input type="checkbox" aria-label="show only what is wrong"><span>show only what is wrong</span></label>
      <div class="legend" role="group" aria-label="classes with their IoU; press one to follow it"></div>`;
  }

  start() {
    const { scenes, epochs, names, iou } = this.given;
    const unpack = (runs, length) => {
      const labels = new Uint8Array(length);
      let end = 0;
      for (const run of runs.split(" ")) {
        const [label, count] = run.split("x").map(Number);
        labels.fill(label, end, (end += count));
      }
      return labels;
    };
    this.scenes = scenes.map(({ photo, width, height, truth, said }) => ({
      photo, width, height, truth: unpack(truth, width * height), said: said.map((runs) => unpack(runs, width * height)),
    }));
    const seen = new Set(this.scenes.flatMap(({ truth, said }) => [truth, ...said].flatMap((labels) => [...new Set(labels)])));
    this.classes = names.map((_, c) => c).filter((c) => seen.has(c) || (iou && iou.some((row) => row[c] !== null)));
    this.void = seen.has(255);
    [this.at, this.chosen, this.timer] = [epochs, null, null];
    this.find(".first").onclick = () => this.go(1);
    this.find(".back").onclick = () => this.go(this.at - 1);
    this.find(".next").onclick = () => this.go(this.at + 1);
    this.find(".toggle").onclick = () => this.play(!this.timer);
    this.find(".scrub").oninput = (event) => this.go(Number(event.target.value));
    this.find(".errors input").onchange = () => this.draw();
    this.find(".legend").innerHTML = [...this.classes, ...(this.void ? [255] : [])].map((c) => c === 255
      ? `<button disabled><span class="chip" style="background:${escape(this.colorOf(255))}"></span>void</button>`
      : `<button data-label="${c}" aria-pressed="false"><span class="chip" style="background:${escape(this.colorOf(c))}"></span>${c} ${escape(names[c])}<b></b></button>`).join("");
    this.find(".legend").onclick = (event) => {
      const button = event.target.closest("button[data-label]");
      if (!button) return;
      const label = Number(button.dataset.label);
      this.chosen = this.chosen === label ? null : label;
      this.draw();
    };
    this.shadowRoot.querySelectorAll(".photo").forEach((image, i) => {
      const { photo, width, height } = this.scenes[i];
      Object.assign(image, { src: photo, width, height });
    });
    for (const svg of this.shadowRoot.querySelectorAll(".charts svg")) this.bindChart(svg);
    new ResizeObserver(() => this.draw()).observe(this);
    this.draw();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  colorOf(label) {
    return label === 255 ? this.given.colors.at(-1) : this.given.colors[label];
  }

  go(epoch) {
    this.at = clamp(epoch, 1, this.given.epochs);
    this.draw();
  }

  play(on) {
    clearInterval(this.timer);
    this.timer = null;
    if (on) {
      if (this.at === this.given.epochs) this.go(1);
      this.timer = setInterval(() => {
        if (this.at >= this.given.epochs) this.play(false);
        else this.go(this.at + 1);
      }, PACE);
    }
    const button = this.find(".toggle");
    button.innerHTML = icon(on ? "pause" : "play");
    button.setAttribute("aria-label", on ? "pause" : "play");
  }

  bindChart(svg) {
    const jump = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const share = (this.spot(svg, event).x - LEFT) / (this.width - LEFT - RIGHT);
      this.go(Math.round(1 + share * (this.given.epochs - 1)));
    };
    svg.onpointerdown = svg.onpointermove = jump;
  }

  draw() {
    const { epochs, train_loss, val_loss, mean_iou, iou } = this.given;
    this.width = this.clientWidth < 560 ? NARROW : WIDE;
    const now = this.at - 1;
    const scrub = this.find(".scrub");
    scrub.value = this.at;
    scrub.setAttribute("aria-valuetext", `epoch ${this.at} of ${epochs}`);
    this.find(".first").disabled = this.find(".back").disabled = this.at === 1;
    this.find(".next").disabled = this.at === epochs;
    const number = (value) => (value === null ? "none" : value.toFixed(2));
    this.find(".read").innerHTML = `After epoch <b class="epoch">${this.at}</b> of ${epochs}: training loss <b>${number(train_loss[now])}</b>` +
      (val_loss ? `, validation loss <b>${number(val_loss[now])}</b>, mean IoU <b>${number(mean_iou[now])}</b>.` : ".");
    this.drawChart(".losses", "loss", Math.max(...train_loss, ...(val_loss || [])), [
      { values: train_loss, kind: "train", name: "training" },
      ...(val_loss ? [{ values: val_loss, kind: "", name: "validation" }] : []),
    ]);
    this.find(".ious").style.display = iou ? "" : "none";
    if (iou) {
      const lines = this.classes.map((c) => ({ values: iou.map((row) => row[c]), kind: c === this.chosen ? "chosen" : "one", end: String(c) }));
      lines.sort((a, b) => (a.kind === "chosen") - (b.kind === "chosen"));
      this.drawChart(".ious", this.chosen === null ? "IoU" : `IoU of ${this.given.names[this.chosen]}, and the mean`, 1,
        [...lines, { values: mean_iou, kind: "", name: "mean" }]);
    }
    for (const button of this.shadowRoot.querySelectorAll(".legend button[data-label]")) {
      const label = Number(button.dataset.label);
      button.setAttribute("aria-pressed", label === this.chosen);
      if (iou) button.querySelector("b").textContent = number(iou[now][label]);
    }
    const wrongOnly = this.find(".errors input").checked;
    const canvases = (kind) => [...this.shadowRoot.querySelectorAll(`canvas.${kind}`)];
    canvases("said").forEach((canvas, i) => {
      const { said, truth } = this.scenes[i];
      this.paint(canvas, this.scenes[i], said[now], (k) => !wrongOnly || (said[now][k] !== truth[k] && truth[k] !== 255));
    });
    canvases("true").forEach((canvas, i) => this.paint(canvas, this.scenes[i], this.scenes[i].truth, () => true));
  }

  drawChart(selector, title, most, lines) {
    const { epochs } = this.given;
    const { width } = this;
    const [floor, right] = [HEIGHT - BOTTOM, width - RIGHT];
    const x = (epoch) => LEFT + ((epoch - 1) / Math.max(epochs - 1, 1)) * (right - LEFT);
    const y = (value) => floor - (value / most) * (floor - TOP - 14);
    const grid = most > 4 ? 2 : most > 2 ? 1 : most > 0.8 ? 0.5 : 0.2;
    let parts = `<text class="left title" x="${LEFT}" y="8">${escape(title)}</text>`;
    for (let value = 0; value <= most + 1e-9; value += grid)
      parts += `<path class="axis" d="M${LEFT} ${y(value)}H${right}"/><text class="right soft" x="${LEFT - 6}" y="${y(value)}">${say(value)}</text>`;
    for (const epoch of new Set([1, this.at, epochs]))
      if (epoch === this.at || Math.abs(x(epoch) - x(this.at)) > 30)
        parts += `<text class="${epoch === this.at ? "" : "soft"}" x="${x(epoch)}" y="${floor + 15}">${epoch}</text>`;
    parts += `<path class="now" d="M${x(this.at)} ${TOP + 6}V${floor}"/>`;
    for (const { values, kind } of lines) {
      let d = "";
      values.forEach((value, i) => {
        if (value !== null) d += `${d && values[i - 1] !== null ? "L" : "M"}${x(i + 1).toFixed(1)} ${y(value).toFixed(1)}`;
      });
      parts += `<path class="curve ${kind}" d="${d}"/>`;
      const value = values[this.at - 1];
      if (kind !== "one" && value !== null) parts += `<circle class="dot ${kind}" cx="${x(this.at)}" cy="${y(value)}" r="4.5"/>`;
    }
    // Classes' numbers stand at the right ends, pushed apart where curves end close together.
    const ends = lines.filter(({ end, values }) => end && values.at(-1) !== null).map(({ end, values, kind }) => ({ end, kind, at: y(values.at(-1)) }));
    ends.sort((a, b) => a.at - b.at);
    let low = TOP;
    for (const each of ends) each.at = low = Math.max(each.at, low + 12);
    let high = floor + 16;
    for (const each of [...ends].reverse()) each.at = high = Math.min(each.at, high - 12);
    for (const { end, kind, at } of ends)
      parts += `<text class="left ${kind === "chosen" ? "chosen-name" : "soft"}" x="${right + 7}" y="${at}">${end}</text>`;
    const key = lines.filter(({ name }) => name);
    key.forEach(({ name, kind }, i) => {
      const at = right - 78 * (key.length - i) + 10;
      parts += `<path class="curve ${kind}" d="M${at - 22} ${HEIGHT - 9}h18"/><text class="left" x="${at}" y="${HEIGHT - 9}">${name}</text>`;
    });
    const svg = this.find(selector);
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.innerHTML = parts;
  }

  // Runs of one class, faint where they are not meant, then a dark line where two classes meet.
  paint(canvas, { width, height }, labels, meant) {
    Object.assign(canvas, { width: width * ZOOM, height: height * ZOOM });
    const pen = canvas.getContext("2d");
    for (let k = 0; k < labels.length; k++) {
      pen.globalAlpha = meant(k) && (this.chosen === null || this.chosen === labels[k]) ? 1 : 0.13;
      pen.fillStyle = this.colorOf(labels[k]);
      pen.fillRect((k % width) * ZOOM, Math.floor(k / width) * ZOOM, ZOOM, ZOOM);
    }
    pen.globalAlpha = 0.6;
    pen.fillStyle = "#0b0b12";
    for (let k = 0; k < labels.length; k++) {
      const [x, y] = [k % width, Math.floor(k / width)];
      if (x + 1 < width && labels[k] !== labels[k + 1]) pen.fillRect((x + 1) * ZOOM - 1, y * ZOOM, 1, ZOOM);
      if (y + 1 < height && labels[k] !== labels[k + width]) pen.fillRect(x * ZOOM, (y + 1) * ZOOM - 1, ZOOM, 1);
    }
  }
}
if (!customElements.get("seg-training-replay")) customElements.define("seg-training-replay", TrainingReplay);
