"""The typed program: domains, schemas, ops, nodes, fingerprints."""
