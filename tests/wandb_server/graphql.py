"""What a GraphQL document asks, and the answer to it from nodes.

A node is a mapping of field names to values. A value that is callable is called with the field's
arguments; a mapping or a list of mappings is cut to the requested fields; all else stands as
it is. This is the execution of the GraphQL specification (October 2021, section 6) without a
schema: a field that the node does not hold is an error, as it is in W&B.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    parse,
    value_from_ast_untyped,
)

Node = Mapping[str, Any]
Arguments = Mapping[str, Any]

# The types that a fragment on an interface or union fits.
IMPLEMENTATIONS = {"ArtifactCollection": frozenset({"ArtifactSequence"})}


class UnknownFieldError(Exception):
    """A field that the server does not have, in the words that the SDK looks for."""

    def __init__(self, field: str, type_name: str) -> None:
        super().__init__(f'Cannot query field "{field}" on type "{type_name}".')


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One query or mutation with its variables."""

    kind: str
    """query or mutation."""
    name: str
    variables: Mapping[str, Any]
    fragments: Mapping[str, FragmentDefinitionNode]
    selections: Sequence[SelectionNode]

    def answer(self, root: Node) -> dict[str, Any]:
        """Return the requested fields, from the root node.

        Raises UnknownFieldError for one that a node does not hold.
        """
        return self._object(root, self.selections)

    def _object(self, node: Node, selections: Iterable[SelectionNode]) -> dict[str, Any]:
        fields: dict[str, list[FieldNode]] = {}
        for field in self._fields(node, selections):
            fields.setdefault((field.alias or field.name).value, []).append(field)
        return {key: self._value(node, same) for key, same in fields.items()}

    def _fields(self, node: Node, selections: Iterable[SelectionNode]) -> Iterator[FieldNode]:
        for selection in filter(self._included, selections):
            if isinstance(selection, FieldNode):
                yield selection
                continue
            fragment = self._fragment(selection)
            if _fits(node, fragment):
                yield from self._fields(node, fragment.selection_set.selections)

    def _fragment(self, selection: SelectionNode) -> InlineFragmentNode | FragmentDefinitionNode:
        if isinstance(selection, FragmentSpreadNode):
            return self.fragments[selection.name.value]
        return cast("InlineFragmentNode", selection)

    def _included(self, selection: SelectionNode) -> bool:
        return all(map(self._holds, selection.directives or ()))

    def _holds(self, directive: DirectiveNode) -> bool:
        (argument,) = directive.arguments or ()
        condition = value_from_ast_untyped(argument.value, dict(self.variables))
        return bool(condition) is (directive.name.value == "include")

    def _value(self, node: Node, fields: Sequence[FieldNode]) -> Any:
        field = fields[0]
        if field.name.value not in node:
            raise UnknownFieldError(field.name.value, node.get("__typename", "Query"))
        value = node[field.name.value]
        value = value(self._arguments(field)) if callable(value) else value
        below = [
            part for same in fields if same.selection_set for part in same.selection_set.selections
        ]
        return self._cut(value, below) if below else value

    def _cut(self, value: Any, selections: Sequence[SelectionNode]) -> Any:
        if isinstance(value, Mapping):
            return self._object(value, selections)
        return [self._cut(part, selections) for part in value] if value is not None else None

    def _arguments(self, field: FieldNode) -> dict[str, Any]:
        return {
            argument.name.value: value_from_ast_untyped(argument.value, dict(self.variables))
            for argument in field.arguments or ()
        }


def read(text: str, variables: Mapping[str, Any]) -> Operation:
    """The operation of a document that holds one.

    The variables that are not given get their defaults, or None.
    """
    definitions = parse(text, no_location=True).definitions
    (operation,) = (part for part in definitions if isinstance(part, OperationDefinitionNode))
    return Operation(
        kind=operation.operation.value,
        name=operation.name.value if operation.name else "anonymous",
        variables={**_defaults(operation), **variables},
        fragments={
            part.name.value: part
            for part in definitions
            if isinstance(part, FragmentDefinitionNode)
        },
        selections=operation.selection_set.selections,
    )


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    return {
        part.variable.name.value: part.default_value and value_from_ast_untyped(part.default_value)
        for part in operation.variable_definitions or ()
    }


def _fits(node: Node, fragment: InlineFragmentNode | FragmentDefinitionNode) -> bool:
    if fragment.type_condition is None or "__typename" not in node:
        return True
    condition = fragment.type_condition.name.value
    return node["__typename"] in {condition, *IMPLEMENTATIONS.get(condition, ())}
