"""Predictions: a model that is served with the shop, and takes the CPU for a while."""

from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from fastapi_app.api import ShopRoute
from fastapi_app.schemas.predictions import PredictionOut
from fastapi_app.uploads import Upload
from shared.shop import model

router = APIRouter(prefix="/api", tags=["predictions"], route_class=ShopRoute)


@router.post("/predict", response_model=PredictionOut)
async def predict(form: Upload) -> dict[str, Any]:
    """Score the rows of a CSV."""
    return await run_in_threadpool(model.predict, form.file.file)
