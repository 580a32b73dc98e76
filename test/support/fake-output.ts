import type { Output, Progress, Task, Versioned, View } from "../../src/core/ports/output.ts";

export interface FakeTask {
  readonly title: string;
  readonly progress: Progress[];
  state: "running" | "done" | "failed";
  text: string | undefined;
}

export interface FakeOutput extends Output {
  readonly results: Versioned[];
  /** What a person would have seen of each result. */
  readonly views: View[];
  readonly shown: { readonly value: Versioned; readonly view: View }[];
  readonly notes: string[];
  readonly warnings: string[];
  readonly debugLines: string[];
  readonly tasks: FakeTask[];
}

/** Keeps everything it is told. A second result is refused, as in the real adapters. */
export function fakeOutput(): FakeOutput {
  const results: Versioned[] = [];
  const views: View[] = [];
  const shown: { value: Versioned; view: View }[] = [];
  const notes: string[] = [];
  const warnings: string[] = [];
  const debugLines: string[] = [];
  const tasks: FakeTask[] = [];
  return {
    results,
    views,
    shown,
    notes,
    warnings,
    debugLines,
    tasks,
    result(value, view) {
      if (results.length > 0) throw new Error("a command has one result");
      results.push(value);
      views.push(view(value));
    },
    show: (value, view) => void shown.push({ value, view: view(value) }),
    note: (line) => void notes.push(line),
    warn: (line) => void warnings.push(line),
    debug: (line) => void debugLines.push(line),
    task: (title) => startTask(title, tasks),
  };
}

function startTask(title: string, tasks: FakeTask[]): Task {
  const task: FakeTask = { title, progress: [], state: "running", text: undefined };
  tasks.push(task);
  const end = (state: "done" | "failed", text: string | undefined): void => {
    if (task.state !== "running") return;
    task.state = state;
    task.text = text;
  };
  return {
    progress: (progress) => void (task.state === "running" && task.progress.push(progress)),
    done: (text) => end("done", text),
    fail: (text) => end("failed", text),
  };
}
