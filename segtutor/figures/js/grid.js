// What figures with a grid of places over a picture share: one is picked, by pointer or arrow keys.

// The figure has a `place`, [row, column], and `pick(place)`; `size()` says rows and columns now.
function followGrid(figure, size, { hover = false } = {}) {
  const picture = figure.find(".picture");
  const follow = (event) => {
    const box = picture.getBoundingClientRect();
    const [height, width] = size();
    const row = Math.floor(((event.clientY - box.top) / box.height) * height);
    const column = Math.floor(((event.clientX - box.left) / box.width) * width);
    const at = [clamp(row, 0, height - 1), clamp(column, 0, width - 1)];
    if (at.join() !== figure.place.join()) figure.pick(at);
  };
  picture.onpointerdown = follow;
  picture.onpointermove = (event) => {
    if (event.buttons || (hover && event.pointerType === "mouse")) follow(event);
  };
  picture.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!move) return;
    figure.pick([figure.place[0] + move[0], figure.place[1] + move[1]]);
    event.preventDefault();
  };
}
