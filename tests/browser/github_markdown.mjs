// Markdown → the HTML that GitHub makes of it: its dialect, its emoji, its sanitizer's rules.
import rehypeRaw from "rehype-raw";
import rehypeSanitize from "rehype-sanitize";
import rehypeStringify from "rehype-stringify";
import remarkGemoji from "remark-gemoji";
import remarkGfm from "remark-gfm";
import remarkParse from "remark-parse";
import remarkRehype from "remark-rehype";
import { unified } from "unified";

const processor = unified()
  .use(remarkParse)
  .use(remarkGfm)
  .use(remarkGemoji)
  .use(remarkRehype, { allowDangerousHtml: true })
  .use(rehypeRaw)
  .use(rehypeSanitize) // its default schema is GitHub's
  .use(rehypeStringify)
  .freeze();

export const githubHtml = async (markdown) => String(await processor.process(markdown));
