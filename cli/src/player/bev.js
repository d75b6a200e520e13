// Draws results and ground truth from above, for every page of the command.
const $ = id => document.getElementById(id);
const colours = {
  vehicle:"#29b6f6", two_wheeler:"#ab7df8", person:"#ff7043", cone:"#ffb300",
  lane:"#ffffff", lane_yellow:"#ffd54f", road_edge:"#66bb6a", arrow:"#00e5c0", crosswalk:"#f06292", stop_line:"#ef5350", truth:"#d0ff3c",
};
const RANGE = { ahead:45, behind:38 };
// `shown`: elements in `result` and `truth`, each left out where it is not wanted, and `coverage`.
function drawBev(canvas, shown) {
  const context = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  const scale = canvas.height / (RANGE.ahead + RANGE.behind), x0 = canvas.width / 2, y0 = RANGE.ahead * scale;
  const px = (x, y) => [x0 - y * scale, y0 - x * scale];
  context.fillStyle = style.getPropertyValue("--road"); context.fillRect(0, 0, canvas.width, canvas.height);
  context.strokeStyle = style.getPropertyValue("--line"); context.lineWidth = 1;
  for (let metres = -50; metres <= 50; metres += 10) {
    context.beginPath(); context.moveTo(...px(metres, -60)); context.lineTo(...px(metres, 60)); context.moveTo(...px(-60, metres)); context.lineTo(...px(60, metres)); context.stroke();
  }
  const sector = 2 * Math.PI / shown.coverage.length;
  shown.coverage.forEach((cover, i) => {
    if (cover === 0) return;
    context.strokeStyle = style.getPropertyValue("--accent"); context.globalAlpha = cover === 2 ? .55 : .4; context.setLineDash(cover === 1 ? [2, 4] : []); context.lineWidth = 4;
    const from = -Math.PI + i * sector; context.beginPath();
    context.arc(x0, y0, 36 * scale, -Math.PI / 2 - from - sector, -Math.PI / 2 - from); context.stroke(); context.globalAlpha = 1; context.setLineDash([]);
  });
  const light = document.documentElement.dataset.theme !== "dark";
  const paint = (elements, truth) => {
    const path = (points, close) => { context.beginPath(); points.forEach((p, i) => i ? context.lineTo(...px(p[0], p[1])) : context.moveTo(...px(p[0], p[1]))); if (close) context.closePath(); };
    context.setLineDash(truth ? [5, 4] : []);
    const colour = kind => truth ? (light ? "#6b8e00" : colours.truth) : (light && kind === "lane" ? "#4a5563" : light && kind === "lane_yellow" ? "#d49a00" : colours[kind]);
    elements.lines.forEach(line => { path(line.points, line.closed); context.strokeStyle = colour(line.kind); context.lineWidth = truth ? 1.5 : line.kind === "stop_line" ? 4 : 2.2; if (line.dashed && !truth) context.setLineDash([9, 7]); context.stroke(); context.setLineDash(truth ? [5, 4] : []);
      if (line.closed && !truth) { context.globalAlpha = .18; context.fillStyle = colour(line.kind); context.fill(); context.globalAlpha = 1; } });
    elements.arrows.forEach(arrow => { const [x, y] = px(arrow.x, arrow.y); context.save(); context.translate(x, y); context.rotate(-arrow.yaw); context.strokeStyle = colour("arrow"); context.lineWidth = 2.5; context.beginPath(); context.moveTo(0, 16); context.lineTo(0, 0);
      for (const [bit, dx, dy] of [[1, 0, -16], [2, -11, -6], [4, 11, -6], [8, -11, 6]]) if (arrow.directions & bit) { context.moveTo(0, 0); context.lineTo(dx, dy); context.moveTo(dx + 4, dy); context.arc(dx, dy, 4, 0, 7); } context.stroke(); context.restore(); });
    elements.boxes.forEach(box => { const [x, y] = px(box.x, box.y); context.save(); context.translate(x, y); context.rotate(-box.yaw); context.strokeStyle = colour(box.kind); context.lineWidth = truth ? 1.5 : 2.2; if (box.coasting && !truth) context.setLineDash([3, 3]);
      const l = box.length * scale, w = Math.max(box.width * scale, 5); context.strokeRect(-w / 2, -l / 2, w, l); context.beginPath(); context.moveTo(0, 0); context.lineTo(0, -l / 2); context.stroke(); context.restore();
      if (!truth) { const speed = Math.hypot(box.vx, box.vy); if (speed > .7) { context.beginPath(); context.moveTo(x, y); context.lineTo(...px(box.x + box.vx, box.y + box.vy)); context.strokeStyle = colour(box.kind); context.lineWidth = 1.3; context.stroke(); } context.fillStyle = colour(box.kind); context.font = "11px system-ui"; context.fillText(box.id, x + w / 2 + 3, y); } });
    context.setLineDash([]);
  };
  if (shown.truth) paint(shown.truth, true);
  if (shown.result) paint(shown.result, false);
  context.fillStyle = style.getPropertyValue("--accent"); const [ex, ey] = px(-1, 0); context.fillRect(ex - .95 * scale, ey - 4.7 * scale, 1.9 * scale, 4.7 * scale);
}
