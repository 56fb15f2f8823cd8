// The description of the functions as a page, in which they can be tried. All of it comes from this origin.

/** @type {any} */ (window).SwaggerUIBundle({
  url: document.body.dataset.openapi,
  dom_id: "#page",
  validatorUrl: null, // the default is somebody else's server
  tryItOutEnabled: true,
  persistAuthorization: true,
});
