// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertLess } from "@std/assert";
import { acceptedForm } from "../../lib/http/accepted_type.ts";
import { quickestMs } from "../support/quickest.ts";

Deno.test("acceptedForm() gives what a client prefers, and the other form to those who do not mind", () => {
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  for (const otherwise of ["html", "json"] as const) {
    assertEquals(acceptedForm(browser, otherwise), "html");
    for (
      const accept of ["application/json", "text/html;q=0.1, application/json", "application/*", "text/html;q=0, */*"]
    ) {
      assertEquals(acceptedForm(accept, otherwise), "json", accept);
    }
    for (const accept of [undefined, "", "*/*", "image/png", "garbage", ";;", "/", "text/html;q=0"]) {
      assertEquals(acceptedForm(accept, otherwise), otherwise, String(accept));
    }
  }
});

Deno.test("acceptedForm() is not slowed down by a hostile value", () => {
  for (
    const accept of [
      "a/b,".repeat(15_000),
      " ".repeat(60_000) + "x",
      `a/b;x="${'\\"'.repeat(30_000)}`,
      "a/b,".repeat(255),
    ]
  ) {
    assertLess(quickestMs(500, () => assertEquals(acceptedForm(accept, "html"), "html")), 500);
  }
});
