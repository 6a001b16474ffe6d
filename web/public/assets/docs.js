/* The API's document, to read and to try: a signed-in browser asks as its user. */
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: null, // nothing is asked of another server
});
