/** A union of texts: TypeBox has it as anyOf of const, while a sentence and a menu want the list. */
import type { TSchema } from "@sinclair/typebox";

export function choicesOf(schema: unknown): string[] | null {
  const parts = (schema as Partial<TSchema>).anyOf as { const?: unknown }[] | undefined;
  if (!Array.isArray(parts)) return null;
  const choices = parts.map((part) => part.const);
  return choices.every((choice) => typeof choice === "string") ? choices : null;
}

/** The same with each such union as `enum`: of that Swagger UI makes a menu, of the other a field for any text. */
export function withMenus<T>(shown: T): T {
  if (Array.isArray(shown)) return shown.map(withMenus) as T;
  if (shown === null || typeof shown !== "object") return shown;
  const choices = choicesOf(shown);
  const { anyOf, ...rest } = shown as Record<string, unknown>;
  if (choices) return { ...rest, type: "string", enum: choices } as T;
  return Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, withMenus(value)])) as T;
}
