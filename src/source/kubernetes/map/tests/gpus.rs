//! GPUs of either make are counted alike: what nodes offer, pods ask for, and model servers use.

use serde_json::json;

use super::*;

const MAKES: [&str; 2] = ["nvidia.com/gpu", "amd.com/gpu"];

#[test]
fn gpus_of_both_makes_are_read() {
    for make in MAKES {
        let read = of(
            node,
            &json!({"metadata": {"name": "gpu-0"}, "status": {"allocatable": {make: "8", "cpu": "4"}}}),
        );
        let Object::Node(node) = read else {
            panic!("{read:?}");
        };
        let offered: Vec<_> = node.allocatable.iter().map(|(n, c)| (&**n, *c)).collect();
        assert_eq!(offered, [(make, 8)]);
        let asked = json!({"resources": {"limits": {make: "2"}, "requests": {make: "2"}}});
        let read = of(
            pod,
            &json!({"metadata": {"name": "p", "namespace": "ai"}, "spec": {"containers": [asked, asked]}}),
        );
        let Object::Pod(pod) = read else {
            panic!("{read:?}");
        };
        let requests = pod.requests.extended.iter().map(|(n, c)| (&**n, *c));
        assert_eq!(requests.collect::<Vec<_>>(), [(make, 4)]);
        let read = of(
            inference_service,
            &json!({"metadata": {"name": "m", "namespace": "ai"}, "spec": {"predictor": {"model": asked}}}),
        );
        let Object::InferenceService(service) = read else {
            panic!("{read:?}");
        };
        assert_eq!(service.gpus, 2, "{make}");
    }
}
