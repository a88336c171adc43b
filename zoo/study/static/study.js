// The trials of a session: a cross, a picture for its time, a mask, an answer. Only the server knows what comes next.
"use strict";

(() => {
  const CROSS_MS = 500; // at least; longer while the picture is on its way
  const FEEDBACK_MS = 1200;
  const RETRY_MS = [250, 500, 1000, 2000]; // the last one again and again
  const MEASURED_FRAMES = 30;
  const LARGEST = 320; // CSS pixels of the picture's longer side
  const AROUND = 300; // CSS pixels of a window's height that are not the picture's
  const GREY = "#808080";

  const element = (id) => document.getElementById(id);
  const study = element("study");
  const stage = element("stage");
  const start = element("start");
  const answers = element("answers");
  const real = element("real");
  const generated = element("generated");
  const height = Number(study.dataset.height);
  const width = Number(study.dataset.width);
  const shortest = Number(study.dataset.shortest);
  const context = stage.getContext("2d", { alpha: false });

  let frame = 0; // milliseconds between two frames of this screen
  let interrupted = false; // whether the page was out of sight while a cross or a picture was shown
  let take = null; // called with an answer, while one is waited for

  const say = (text) => { element("status").textContent = text; };
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

  // What is drawn. A picture's pixels are enlarged by whole factors, so that nothing is smoothed.

  function fit() {
    const room = Math.min(LARGEST, study.clientWidth, Math.max(120, window.innerHeight - AROUND));
    const density = window.devicePixelRatio || 1;
    const factor = Math.max(1, Math.floor(room * density / Math.max(width, height)));
    stage.width = width * factor;
    stage.height = height * factor;
    stage.style.width = `${width * factor / density}px`;
    mask();
  }

  function mask() {
    context.fillStyle = GREY;
    context.fillRect(0, 0, stage.width, stage.height);
  }

  function cross() {
    fit(); // the window may have another size now; while a picture is shown, the stage stays as it is
    const arm = Math.max(2, Math.round(stage.width / 16));
    const thick = Math.max(1, Math.round(arm / 5));
    context.fillStyle = "#fff";
    context.fillRect(stage.width / 2 - arm, stage.height / 2 - thick / 2, 2 * arm, thick);
    context.fillRect(stage.width / 2 - thick / 2, stage.height / 2 - arm, thick, 2 * arm);
  }

  function picture(bitmap) {
    context.imageSmoothingEnabled = false;
    context.drawImage(bitmap, 0, 0, stage.width, stage.height);
  }

  // Requests to the server; they wait for a server that cannot be reached.

  async function ask(address, options) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const response = await fetch(address, { ...options, cache: "no-store", credentials: "same-origin" });
        if (response.status < 500) {
          return response;
        }
      } catch {
        // No connection: treated like an error of the server.
      }
      say("The server cannot be reached. Trying again…");
      await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
    }
  }

  function post(address, body) {
    const headers = { "Content-Type": "application/json", "X-Token": study.dataset.token };
    return ask(address, { method: "POST", headers, body: JSON.stringify(body) });
  }

  // The next trial, or null at the end. Whatever this page believed, the server says where the session stands.
  async function whereNow() {
    const response = await post("/trial", {});
    if (!response.ok) {
      throw new Error("This session cannot go on here. Please load the page again.");
    }
    return (await response.json()).trial;
  }

  async function load(token) {
    const response = await ask(`/pictures/${token}`, {});
    return response.ok ? createImageBitmap(await response.blob()) : null;
  }

  // One trial.

  async function measureFrame() {
    const times = [];
    while (times.length <= MEASURED_FRAMES) {
      times.push(await nextFrame());
    }
    const gaps = times.slice(1).map((time, index) => time - times[index]).sort((a, b) => a - b);
    return gaps[Math.floor(gaps.length / 2)];
  }

  function allow(allowed) {
    for (const button of [real, generated]) {
      button.setAttribute("aria-disabled", String(!allowed)); // not `disabled`, which would take the focus away
    }
  }

  function answer() {
    allow(true);
    say("Real or generated?");
    return new Promise((resolve) => {
      take = (takenForReal, event) => {
        take = null;
        allow(false);
        resolve({ takenForReal, time: event.timeStamp });
      };
    });
  }

  // Shows a picture and returns the answer; null if the picture could not be loaded or the page went out of sight.
  async function show(trial) {
    interrupted = document.hidden;
    cross();
    say(`Picture ${trial.number} of ${trial.trials}.`);
    const crossed = pause(CROSS_MS);
    const bitmap = await load(trial.token);
    if (bitmap === null) {
      return null;
    }
    await crossed;
    const shown = await nextFrame();
    picture(bitmap);
    if (trial.exposure_ms === null) {
      const given = await answer();
      const seen = given.time - shown;
      return interrupted ? null : { takenForReal: given.takenForReal, achieved: seen, reaction: seen };
    }
    let now = shown;
    while (now - shown < trial.exposure_ms - frame / 2) { // until the frame nearest to the exposure's end
      now = await nextFrame();
    }
    mask();
    if (interrupted) {
      return null;
    }
    const given = await answer();
    return { takenForReal: given.takenForReal, achieved: now - shown, reaction: given.time - shown };
  }

  async function run() {
    let trial = await whereNow();
    while (trial !== null) {
      const result = await show(trial);
      if (result === null) {
        if (document.hidden) {
          await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
        }
        trial = await whereNow();
        continue;
      }
      const response = await post("/answer", {
        token: trial.token,
        taken_for_real: result.takenForReal,
        achieved_ms: Math.max(0, result.achieved),
        frame_ms: frame,
        reaction_ms: Math.max(0, result.reaction),
      });
      if (!response.ok) { // it was taken before a connection broke, or by another window of this session
        trial = await whereNow();
        continue;
      }
      const reply = await response.json();
      element("progress").value = trial.number;
      element("count").textContent = `${trial.number} of ${trial.trials}`;
      if (reply.right !== null) {
        say(`${reply.right ? "Right" : "Wrong"}: it was ${result.takenForReal === reply.right ? "real" : "generated"}.`);
        await pause(FEEDBACK_MS);
      }
      trial = reply.trial;
    }
    location.replace("/trials"); // which is the last page now
  }

  async function begin() {
    start.hidden = true;
    answers.hidden = false;
    stage.tabIndex = -1;
    stage.focus({ preventScroll: true });
    frame = await measureFrame();
    if (shortest > 0 && frame > shortest) {
      say(`This screen changes only every ${frame.toFixed(0)} ms, but some pictures are shown for ${shortest} ms. `
        + "Please use another screen.");
      return;
    }
    try {
      await run();
    } catch (error) {
      say(error.message);
    }
  }

  real.addEventListener("click", (event) => take?.(true, event));
  generated.addEventListener("click", (event) => take?.(false, event));
  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (event.key === "r" || event.key === "R") {
      take?.(true, event);
    } else if (event.key === "g" || event.key === "G") {
      take?.(false, event);
    }
  });
  document.addEventListener("visibilitychange", () => { interrupted ||= document.hidden; });
  start.addEventListener("click", begin);
  allow(false);
  fit();
  start.focus({ preventScroll: true });
})();
