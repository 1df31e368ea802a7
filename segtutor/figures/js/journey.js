// <seg-journey>: a picture's way through a network, one box for every map that a module handed out.

const TALL = 150; // the picture's height, in the units of the drawing
const GAP = 9; // between two boxes
const LEAN = 0.18; // how far the width of a map leans to the right and up
const PACE = 900; // milliseconds a step while it plays

const grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

class Journey extends SegFigure {
  css = `
    .play { flex-wrap: nowrap; gap: 6px; } .play input { margin-left: 8px; }
    .way { max-height: 320px; touch-action: pan-y; }
    .block path { fill: var(--faint); stroke: var(--line); stroke-width: 1; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
    .block.past path { fill: color-mix(in srgb, var(--accent) 20%, transparent); }
    .block.now path { fill: var(--accent); stroke: var(--accent); } .block.now .side { fill: color-mix(in srgb, var(--accent) 60%, transparent); }
    .block:hover path { stroke: var(--warm); } .block { cursor: pointer; } .hit { fill: transparent; }
    .read { min-height: 2.8em; } .read b { font-weight: 600; }
    .facts { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 10px 14px; margin-bottom: 0; }
    .facts div { display: flex; flex-direction: column; justify-content: flex-end; }
    .facts dt { color: var(--soft); font-size: .8125rem; line-height: 1.2; } .facts dd { margin: 0; font-weight: 600; }
    .maps { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 6px; } .maps.one { grid-template-columns: minmax(0, 15rem); }
    .maps img { display: block; width: 100%; height: auto; border-radius: 4px; image-rendering: pixelated; } .maps.one img { image-rendering: auto; }
    .maps span { display: block; text-align: center; }
    @container (max-width: 560px) {
      .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); } .maps { grid-template-columns: repeat(3, minmax(0, 1fr)); }
    }`;

  frame() {
    const { stops } = this.given;
    return `
      <div class="bar play">
        <button class="icon first" aria-label="back to the picture">${icon("first")}</button>
        <button class="icon back" aria-label="step before">${icon("back")}</button>
        <button class="icon main toggle" aria-label="play">${icon("play")}</button>
        <button class="icon next" aria-label="next step">${icon("next")}</button>
        <input type="range" class="scrub" min="0" max="${stops.length - 1}" step="1" aria-label="step">
      </div>
      <svg class="way" tabindex="0" role="application" aria-label="One box for each map: as high as the map, as thick as its channels are many. Arrows go from one to the next."></svg>
      <div class="read" aria-live="polite"></div>
      <dl class="facts"></dl>
      <div class="maps"></div>`;
  }

  start() {
    [this.at, this.timer] = [0, null];
    this.find(".first").onclick = () => this.go(0);
    this.find(".back").onclick = () => this.go(this.at - 1);
    this.find(".next").onclick = () => this.go(this.at + 1);
    this.find(".toggle").onclick = () => this.play(!this.timer);
    this.find(".scrub").oninput = (event) => this.go(Number(event.target.value));
    const way = this.find(".way");
    const pick = (event) => {
      const box = this.shadowRoot.elementFromPoint(event.clientX, event.clientY)?.closest("[data-stop]");
      if (box) this.go(Number(box.dataset.stop));
    };
    way.onpointerdown = pick; // or drag over the boxes
    way.onpointermove = (event) => event.buttons && pick(event);
    way.onkeydown = (event) => {
      const last = this.given.stops.length - 1;
      const to = { ArrowRight: this.at + 1, ArrowDown: this.at + 1, ArrowLeft: this.at - 1, ArrowUp: this.at - 1, Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.go(to);
    };
    this.build();
    this.draw();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  // Sides go with the square root of sizes: a map of 1/32 would be a dot otherwise.
  build() {
    const { stops, height, width } = this.given;
    const largest = Math.max(height, width, ...stops.flatMap(({ shape }) => shape.slice(1)));
    const side = (pixels) => Math.max(5, TALL * Math.sqrt(pixels / largest));
    let x = 4;
    const parts = stops.map(({ shape: [channels, h, w] }, index) => {
      const [up, thick, lean] = [side(h), 3 + 2.2 * Math.log2(1 + channels), LEAN * side(w)];
      const [top, left] = [-up / 2 + lean / 2, x];
      x += thick + GAP + lean / 2;
      const face = `M${left} ${top}h${thick}v${up}h${-thick}z`;
      const roof = `M${left} ${top}l${lean} ${-lean}h${thick}l${-lean} ${lean}z`;
      const flank = `M${left + thick} ${top}l${lean} ${-lean}v${up}l${-lean} ${lean}z`;
      return { index, end: left + thick + lean, markup: `<g class="block" data-stop="${index}"><rect class="hit" x="${left - GAP / 2}" y="${-TALL / 2 - 20}" width="${thick + GAP}" height="${TALL + 40}"/><path class="side" d="${roof}"/><path class="side" d="${flank}"/><path d="${face}"/></g>` };
    });
    const end = Math.max(...parts.map((part) => part.end)) + 4;
    const way = this.find(".way");
    way.setAttribute("viewBox", `0 ${-TALL / 2 - 20} ${end} ${TALL + 40}`);
    way.innerHTML = parts.map((part) => part.markup).join(""); // a face stands before its neighbor's flank
  }

  go(stop) {
    this.at = clamp(stop, 0, this.given.stops.length - 1);
    this.draw();
  }

  play(on) {
    clearInterval(this.timer);
    this.timer = null;
    const last = this.given.stops.length - 1;
    if (on) {
      if (this.at === last) this.go(0);
      this.timer = setInterval(() => {
        if (this.at >= last) this.play(false);
        else this.go(this.at + 1);
      }, PACE);
    }
    const button = this.find(".toggle");
    button.innerHTML = icon(on ? "pause" : "play");
    button.setAttribute("aria-label", on ? "pause" : "play");
  }

  draw() {
    const { stops, height: rows } = this.given;
    const { name, shape, parameters, living, channels, maps } = stops[this.at];
    const [deep, h, w] = shape;
    const last = stops.length - 1;
    for (const box of this.shadowRoot.querySelectorAll(".block")) {
      const index = Number(box.dataset.stop);
      box.classList.toggle("now", index === this.at);
      box.classList.toggle("past", index < this.at);
    }
    const scrub = this.find(".scrub");
    scrub.value = this.at;
    scrub.setAttribute("aria-valuetext", `step ${this.at} of ${last}: ${name}`);
    this.find(".first").disabled = this.find(".back").disabled = this.at === 0;
    this.find(".next").disabled = this.at === last;
    const place = this.at === 0 ? "The picture" : `Step ${this.at} of ${last}, <b>${escape(name)}</b>`;
    this.find(".read").innerHTML = `${place}: <b class="shape">${grouped(deep)} × ${grouped(h)} × ${grouped(w)}</b>, channels by rows by columns. ` +
      (this.at === 0 ? "" : h === rows ? "As many rows as the picture." : `${grouped(h)} rows for the picture's ${grouped(rows)}.`);
    const [numbers, before] = [deep * h * w, stops[0].shape.reduce((a, b) => a * b)];
    const facts = { "numbers in the map": grouped(numbers), "of the picture's": `${say(numbers / before)}×`, "parameters of the step": grouped(parameters) };
    if (living !== undefined && this.at) facts["channels that vary"] = `${grouped(living)} of ${grouped(deep)}`;
    this.find(".facts").innerHTML = Object.entries(facts).map(([key, value]) => `<div><dt>${key}</dt><dd>${value}</dd></div>`).join("");
    const box = this.find(".maps");
    box.classList.toggle("one", this.at === 0);
    box.innerHTML = (maps || []).map((_, i) => this.at === 0
      ? `<img alt="the picture">`
      : `<div><img alt="channel ${channels[i]} of ${escape(name)}"><span class="label">channel ${channels[i]}</span></div>`).join("");
    box.querySelectorAll("img").forEach((image, i) => { image.src = maps[i]; });
  }
}
if (!customElements.get("seg-journey")) customElements.define("seg-journey", Journey);
