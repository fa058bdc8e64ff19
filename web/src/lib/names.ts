/**
 * A pipeline's name as people say it. Flink calls an unnamed job after all of its sink's path:
 * `insert-into_default_catalog.default_database.created_users`.
 */
export function pipelineName(name: string): string {
  return name.startsWith("insert-into_") ? (name.split(".").at(-1) ?? name) : name;
}
