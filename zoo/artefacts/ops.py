"""The ops that the graph of a SavedModel may hold: they compute, draw numbers, read and write the model's variables.

What is not named here is refused: ops that reach files, sockets, Python or other programs, that end the process, and
all that a later TensorFlow adds. Standard Keras layers and losses need no others.
"""

NAMES = """
Abs Acos Acosh Add AddN AddV2 Angle ApproximateEqual Asin Asinh Atan Atan2 Atanh BesselI0e BesselI1e Betainc Cast Ceil
ClipByValue Complex ComplexAbs Conj Cos Cosh Cross Digamma Div DivNoNan Equal Erf Erfc Erfinv Exp Expm1 Floor
FloorDiv FloorMod Greater GreaterEqual Igamma Igammac Imag Inv Invert IsFinite IsInf IsNan Less LessEqual Lgamma Log
Log1p LogicalAnd LogicalNot LogicalOr Maximum Minimum Mod Mul MulNoNan Ndtri Neg NextAfter NotEqual Polygamma Pow Real
RealDiv Reciprocal Rint Round Rsqrt Select SelectV2 Sign Sin Sinh Sqrt Square SquaredDifference Sub Tan Tanh
TruncateDiv TruncateMod Xdivy Xlog1py Xlogy Zeta

All Any ArgMax ArgMin Bincount Cumprod Cumsum CumulativeLogsumexp DenseBincount EuclideanNorm Max Mean Min Prod
SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum Sum UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd
UnsortedSegmentSum

BatchMatMul BatchMatMulV2 BatchMatMulV3 Cholesky Einsum MatMul MatrixBandPart MatrixDeterminant MatrixDiag
MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixInverse MatrixSetDiag MatrixSetDiagV2
MatrixSetDiagV3 MatrixSolve MatrixTriangularSolve Qr SelfAdjointEigV2 Svd

BitwiseAnd BitwiseOr BitwiseXor Bitcast LeftShift PopulationCount RightShift

BatchToSpace BatchToSpaceND BroadcastArgs BroadcastGradientArgs BroadcastTo Concat ConcatOffset ConcatV2 Const
DepthToSpace Diag DiagPart DynamicPartition DynamicStitch EnsureShape ExpandDims Fill Gather GatherNd GatherV2
Identity IdentityN InvertPermutation LinSpace ListDiff LowerBound MirrorPad MirrorPadGrad OneHot OnesLike Pack Pad
PadV2 ParallelDynamicStitch Placeholder PlaceholderWithDefault PreventGradient Range Rank Reshape Reverse
ReverseSequence ReverseV2 Roll ScatterNd Shape ShapeN Size Slice Snapshot SpaceToBatch SpaceToBatchND
SpaceToDepth SparseToDense Split SplitV Squeeze StopGradient StridedSlice StridedSliceGrad TensorScatterAdd
TensorScatterMax TensorScatterMin TensorScatterSub TensorScatterUpdate Tile TopK TopKV2 Transpose Unique UniqueV2
UniqueWithCounts Unpack UnravelIndex UpperBound Where ZerosLike

AvgPool AvgPool3D AvgPool3DGrad AvgPoolGrad BatchNormWithGlobalNormalization BiasAdd BiasAddGrad BiasAddV1 Conv2D
Conv2DBackpropFilter Conv2DBackpropInput Conv3D Conv3DBackpropFilterV2 Conv3DBackpropInputV2 DepthwiseConv2dNative
DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput Dilation2D Elu EluGrad FractionalAvgPool
FractionalMaxPool FusedBatchNorm FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3 FusedBatchNormV2
FusedBatchNormV3 InTopKV2 L2Loss LRN LeakyRelu LeakyReluGrad LogSoftmax MaxPool MaxPool3D MaxPool3DGrad MaxPoolGrad
MaxPoolGradGrad MaxPoolGradV2 MaxPoolV2 MaxPoolWithArgmax Relu Relu6 Relu6Grad ReluGrad RsqrtGrad Selu SeluGrad
Sigmoid SigmoidGrad Softmax SoftmaxCrossEntropyWithLogits Softplus SoftplusGrad Softsign SoftsignGrad
SparseSoftmaxCrossEntropyWithLogits SqrtGrad TanhGrad

FFT FFT2D FFT3D IFFT IFFT2D IFFT3D IRFFT IRFFT2D IRFFT3D RFFT RFFT2D RFFT3D

AdjustContrastv2 AdjustHue AdjustSaturation CropAndResize DecodeJpeg DecodePng EncodeJpeg EncodePng HSVToRGB
ImageProjectiveTransformV2 ImageProjectiveTransformV3 RGBToHSV ResizeArea ResizeBicubic ResizeBilinear
ResizeBilinearGrad ResizeNearestNeighbor ResizeNearestNeighborGrad ScaleAndTranslate

AsString DecodeBase64 EncodeBase64 StaticRegexFullMatch StringFormat StringJoin StringLength

Case If NoOp PartitionedCall StatefulPartitionedCall StatelessCase StatelessIf StatelessWhile While Enter Exit
LoopCond Merge NextIteration Switch

EmptyTensorList TensorListConcatV2 TensorListElementShape TensorListFromTensor TensorListGather TensorListGetItem
TensorListLength TensorListPopBack TensorListPushBack TensorListReserve TensorListResize TensorListScatterV2
TensorListSetItem TensorListSplit TensorListStack

AssignAddVariableOp AssignSubVariableOp AssignVariableOp DisableCopyOnRead ReadVariableOp ResourceGather
ResourceGatherNd VarHandleOp VarIsInitializedOp VariableShape

Assert CheckNumerics CheckNumericsV2

Multinomial RandomGamma RandomPoissonV2 RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt
RngReadAndSkip RngSkip StatefulRandomBinomial StatefulStandardNormalV2 StatefulTruncatedNormal StatefulUniform
StatefulUniformFullInt StatefulUniformInt StatelessMultinomial StatelessParameterizedTruncatedNormal
StatelessRandomBinomial StatelessRandomGammaV2 StatelessRandomGammaV3 StatelessRandomGetAlg StatelessRandomGetKeyCounter
StatelessRandomGetKeyCounterAlg StatelessRandomNormal StatelessRandomNormalV2 StatelessRandomPoisson
StatelessRandomUniform StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2 StatelessRandomUniformInt
StatelessRandomUniformIntV2 StatelessRandomUniformV2 StatelessShuffle StatelessTruncatedNormal
StatelessTruncatedNormalV2 TruncatedNormal
"""
COMPUTING = frozenset(NAMES.split())
SAVING = frozenset({"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"})
