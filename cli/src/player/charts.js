// Charts over frames, and their health. They share the latency chart's margin, so that they stand
// below each other.
const LEFT = 44, colour = name => getComputedStyle(document.documentElement).getPropertyValue(name);
function chart(id, paint) {
  const canvas = $(id), context = canvas.getContext("2d"), step = () => (canvas.width - LEFT) / data.frames.length;
  canvas.onclick = event => { const box = canvas.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * canvas.width; go(Math.max(0, Math.min(data.frames.length - 1, Math.floor((x - LEFT) / step())))); };
  onDraw.push(() => {
    fit(canvas); const width = step();
    context.clearRect(0, 0, canvas.width, canvas.height);
    paint(context, index => LEFT + index * width, width, canvas);
    context.strokeStyle = colour("--dim"); context.lineWidth = 1; context.setLineDash([3, 3]);
    data.drives.slice(1).forEach(drive => { const x = LEFT + drive.first * width; context.beginPath(); context.moveTo(x, 0); context.lineTo(x, canvas.height); context.stroke(); });
    context.setLineDash([]);
    context.strokeStyle = colour("--ink"); context.lineWidth = 2; context.strokeRect(LEFT + state.index * width - 1, 1, width + 1, canvas.height - 2);
  });
}
chart("timeline", (context, x, width, canvas) => data.frames.forEach((frame, i) => {
  const height = { ok:.4, degraded:.7, fault:1 }[frame.health] * (canvas.height - 4);
  context.fillStyle = colour("--" + frame.health); context.fillRect(x(i), canvas.height - height - 2, Math.max(width - 1, 1), height);
}));
onDraw.push(frame => { $("reasons").textContent = frame.health + (frame.reasons.length ? ": " + frame.reasons.join(", ") : ""); });
