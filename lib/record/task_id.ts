/** The name of a task: `<subtopology>_<partition>`. Kafka Streams: `TaskId`. */
export type TaskId = `${number}_${number}`;

/** The task of that subtopology and partition. */
export function taskId(subtopology: number, partition: number): TaskId {
  return `${subtopology}_${partition}`;
}

/** The subtopology and partition of a task id. @throws {TypeError} when it has another form. */
export function parseTaskId(id: string): { subtopology: number; partition: number } {
  const match = /^(\d+)_(\d+)$/.exec(id);
  if (!match) {
    throw new TypeError(
      `Cannot read a task id as it has not the form <subtopology>_<partition>: current value is "${id}"`,
    );
  }
  return { subtopology: Number(match[1]), partition: Number(match[2]) };
}
