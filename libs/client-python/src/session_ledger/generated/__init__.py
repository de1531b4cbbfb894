"""What `npm run generate` writes from the published OpenAPI document; nothing here is edited by hand."""
