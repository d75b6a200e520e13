// The player of a drive: cameras, the picture from above and latency, by slider, buttons and keys.
// `data` has `frames`, `cameras`, `period_ms`; a page adds to `onDraw` what is to follow the frame,
// and changes `control` where frames come as they are made.
const data = JSON.parse(document.getElementById("data").textContent);
const state = { index:0, playing:false, result:true, truth:false };
const onDraw = [];
const load = frame => frame.images && frame.images.map(source => { const image = new Image(); image.onload = () => { if (data.frames[picturesAt(state.index)] === frame) draw(); }; image.src = source; return image; });
const images = data.frames.map(load);
// Frames of long drives have no pictures of their own: those of the last one before are shown.
function picturesAt(index) { while (index > 0 && !data.frames[index].images) index--; return index; }

$("subtitle").textContent = data.subtitle;
$("cameras").style.setProperty("--columns", Math.min(3, data.cameras.length > 4 ? 3 : 2));
const views = data.cameras.map(camera => {
  const figure = document.createElement("figure"), canvas = document.createElement("canvas"), caption = document.createElement("figcaption");
  canvas.width = camera.width; canvas.height = camera.height; caption.textContent = camera.name.replace("_", " ");
  figure.append(canvas, caption); $("cameras").append(figure); return canvas.getContext("2d");
});
const AROUND = ["front_left", "front", "front_right", "back_left", "back", "back_right"];
data.cameras.forEach((camera, i) => { views[i].canvas.parentElement.style.order = AROUND.indexOf(camera.name); });
$("slider").max = data.frames.length - 1;
let timer = null;
const control = {
  start: () => { timer = setInterval(() => control.step(1), data.period_ms); },
  stop: () => clearInterval(timer),
  step: by => go(state.index + by),
  seek: place => go(place),
  place: () => state.index,
  text: frame => frame.time_s.toFixed(2) + " s · " + (state.index + 1) + "/" + data.frames.length,
  address: () => "#frame-" + state.index,
};

function stroke(context, line, width, truth) {
  context.strokeStyle = truth ? colours.truth : colours[line.kind] || "#fff";
  context.setLineDash(truth ? [4, 4] : line.coasting ? [2, 3] : []);
  context.lineWidth = width; context.beginPath();
  for (let i = 0; i < line.points.length; i += 2) i ? context.lineTo(line.points[i], line.points[i + 1]) : context.moveTo(line.points[i], line.points[i + 1]);
  context.stroke(); context.setLineDash([]);
}
function drawCameras(frame) {
  views.forEach((context, camera) => {
    const own = images[picturesAt(state.index)], image = own && own[camera];
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    if (image && image.complete && image.naturalWidth) context.drawImage(image, 0, 0, context.canvas.width, context.canvas.height);
    if (state.truth) frame.truth_overlay[camera].forEach(line => stroke(context, line, 1.6, true));
    if (state.result) frame.result_overlay[camera].forEach(line => stroke(context, line, 1.8, false));
  });
}
const stageColours = { preprocess:"#7e57c2", align:"#26a69a", network:"#42a5f5", decode:"#ffa726", track:"#ec407a", other:"#90a4ae" };
// A chart has as many pixels as the screen gives it, so that its words stay readable on a phone.
function fit(canvas) { const width = canvas.clientWidth || canvas.width; if (canvas.width !== width) canvas.width = width; }
function drawLatency() {
  fit($("latency"));
  const canvas = $("latency"), context = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const top = (Math.max(...data.frames.map(frame => frame.latency.total || 0)) || 1) * 1.1, left = 44, width = (canvas.width - left) / data.frames.length, y = v => canvas.height - 18 - v / top * (canvas.height - 30);
  context.font = "13px system-ui"; context.fillStyle = style.getPropertyValue("--dim"); context.strokeStyle = style.getPropertyValue("--line");
  for (let i = 0; i <= 4; i++) { const v = top * i / 4; context.fillText(v.toFixed(0), 4, y(v) + 4); context.beginPath(); context.moveTo(left, y(v)); context.lineTo(canvas.width, y(v)); context.stroke(); }
  data.frames.forEach((frame, i) => { let base = 0; for (const stage of Object.keys(stageColours)) { const v = frame.latency[stage] || 0; context.fillStyle = stageColours[stage]; context.fillRect(left + i * width, y(base + v), Math.max(width - 1, 1), y(base) - y(base + v)); base += v; } });
  context.strokeStyle = style.getPropertyValue("--ink"); context.lineWidth = 2; context.strokeRect(left + state.index * width - 1, 4, width + 1, canvas.height - 22);
}
function draw() {
  const frame = data.frames[state.index];
  if (!frame) return;
  $("slider").value = control.place(frame); $("time").textContent = control.text(frame);
  $("health").textContent = frame.health; $("health").className = "badge " + frame.health;
  drawCameras(frame); drawBev($("bev"), { result:state.result && frame.result, truth:state.truth && frame.truth, coverage:frame.coverage }); drawLatency(); onDraw.forEach(follow => follow(frame));
}
// The address follows the frame once it rests, so that it can be passed on.
let settled = null;
function go(index) {
  if (!data.frames.length) return;
  state.index = (index + data.frames.length) % data.frames.length; draw();
  clearTimeout(settled); if (!state.playing) settled = setTimeout(() => history.replaceState(null, "", control.address(data.frames[state.index])), 300);
}
function toggle(key) { state[key] = !state[key]; $("show-" + key).setAttribute("aria-pressed", state[key]); draw(); }
function showPlaying(playing) { state.playing = playing; $("play").textContent = playing ? "❚❚" : "▶"; }
function play() { showPlaying(!state.playing); control.stop(); if (state.playing) control.start(); }
$("play").onclick = play; $("slider").oninput = event => control.seek(+event.target.value);
$("show-result").onclick = () => toggle("result"); $("show-truth").onclick = () => toggle("truth");
const setTheme = theme => { document.documentElement.dataset.theme = theme; draw(); };
$("theme").onclick = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
addEventListener("keydown", event => {
  const act = { " ":play, ArrowRight:() => control.step(1), ArrowLeft:() => control.step(-1), Home:() => go(0), End:() => go(-1), r:() => toggle("result"), g:() => toggle("truth"), t:() => $("theme").onclick() }[event.key];
  if (act && event.target.tagName !== "SELECT") { event.preventDefault(); act(); }
});
$("legend").innerHTML = [["vehicle","vehicles"],["two_wheeler","two-wheelers"],["person","pedestrians"],["cone","cones"],["lane","lane marks (grey on light)"],["lane_yellow","yellow marks"],["road_edge","road edges"],["arrow","arrows"],["crosswalk","crosswalks"],["stop_line","stop lines"],["truth","ground truth (dashed)"]].map(([key, name]) => `<span><i style="border-color:${colours[key]}"></i>${name}</span>`).join("");
$("stages").innerHTML = Object.entries(stageColours).map(([name, colour]) => `<span><i style="border-color:${colour}"></i>${name}</span>`).join("");
const table = (id, head, rows) => { if ($(id)) $(id).innerHTML = "<tr>" + head.map(cell => `<th>${cell}</th>`).join("") + "</tr>" + rows.map(row => "<tr>" + row.map(cell => `<td>${cell}</td>`).join("") + "</tr>").join(""); };
table("quality", ["measure", "value"], data.quality); table("stage-table", ["stage", "p50", "p99", "max"], data.stages);
for (const name of ["definitions", "machine"]) if ($(name)) $(name).textContent = data[name];
$("latency").onclick = event => { const box = event.target.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * event.target.width; go(Math.max(0, Math.min(data.frames.length - 1, Math.floor((x - 44) / ((event.target.width - 44) / data.frames.length))))); };
// page.html#frame-40 opens at that frame.
function linked() {
  const number = /^#(?:frame-)?(\d+)$/.exec(location.hash), index = number ? +number[1] : -1;
  if (index < 0 || index >= data.frames.length) return false;
  state.index = index;
  return true;
}
addEventListener("resize", () => draw());
addEventListener("hashchange", () => { if (linked()) { draw(); $("player").scrollIntoView(); } });
linked();
