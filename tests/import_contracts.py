"""A contract of import-linter: which modules from outside the core may import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importlinter import Contract, ContractCheck, fields, output

if TYPE_CHECKING:
    from grimp import ImportGraph


class AllowedImports(Contract):
    """Some packages import each other, and of everything else only what is allowed.

    importers: packages, with all modules that they ever get.
    allowed: modules or packages that they may import besides.
    """

    type_name = "allowed_imports"
    importers = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001 -- import-linter's signature
        """Return the imports that are not allowed, as `importer -> imported`."""
        importers = set(self.importers)  # type: ignore[call-overload] # a field becomes its value
        allowed = importers | set(self.allowed)  # type: ignore[call-overload] # likewise
        broken = [
            f"{importer} -> {imported}"
            for importer in sorted(graph.modules)
            if is_within(importer, importers)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not is_within(imported, allowed)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one import a line."""
        for one in check.metadata["broken"]:
            output.print_error(f"{one} is not allowed", bold=False)


def is_within(module: str, packages: set[str]) -> bool:
    """Return whether the module is one of these packages, or lies in one."""
    return any(f"{module}.".startswith(f"{package}.") for package in packages)
