from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class PlaceRequest(_message.Message):
    __slots__ = ("product", "quantity", "total_cents")
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    TOTAL_CENTS_FIELD_NUMBER: _ClassVar[int]
    product: str
    quantity: int
    total_cents: int
    def __init__(self, product: _Optional[str] = ..., quantity: _Optional[int] = ..., total_cents: _Optional[int] = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("id", "product", "quantity", "unit_cents")
    ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_CENTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    product: str
    quantity: int
    unit_cents: int
    def __init__(self, id: _Optional[str] = ..., product: _Optional[str] = ..., quantity: _Optional[int] = ..., unit_cents: _Optional[int] = ...) -> None: ...
